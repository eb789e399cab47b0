// SPDX-License-Identifier: Apache-2.0
// One inference of the Open Inference Protocol on its way: each image gives its row, the last one answers.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "infer/batcher.hpp"
#include "serve/live_model.hpp"
#include "serve/open_inference.hpp"
#include "serve/prepare.hpp"

namespace imago::serve {

inline constexpr std::string_view kProbabilities = "probabilities", kLabel = "label", kDoubt = "doubt";

/// Safe from any thread.
class Gathering {
 public:
  Gathering(InferRequest request, std::shared_ptr<const ModelFace> face, std::size_t images, InferDone done);

  [[nodiscard]] const InferRequest& request() const { return request_; }

  void add(std::size_t i, const Prepared& prepared, Result<std::vector<float>> logits, const infer::Timing& batch);
  /// Image `i` failed; `count` images will give no row. The first failure is the one answered.
  void fail(std::size_t i, Refusal refusal, std::size_t count);

 private:
  void finish(std::size_t count);
  [[nodiscard]] InferResponse respond() const;
  [[nodiscard]] InferOutput output(const WantedOutput& wanted) const;
  [[nodiscard]] std::vector<std::size_t> order(std::size_t start, std::size_t k) const;
  [[nodiscard]] std::vector<std::string> likeliest(std::size_t k) const;

  const InferRequest request_;
  const std::shared_ptr<const ModelFace> face_;  // not the model: this may end on a thread of its batcher
  const std::size_t classes_;
  std::vector<float> probabilities_;  // each image's thread writes its own row, and its own doubt
  std::vector<model::Doubt> doubts_;
  std::atomic<std::size_t> open_;
  std::optional<monitor::ModelMetrics::InFlight> in_flight_;
  const InferDone done_;
  std::mutex mutex_;  // guards refusal_ until open_ is 0
  std::optional<Refusal> refusal_;
};

}  // namespace imago::serve
