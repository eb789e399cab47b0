// SPDX-License-Identifier: Apache-2.0
// The Open Inference Protocol, version 2, without a transport: what the models look like as tensors, and inferences.
// docs/api/open_inference.md
//
// A model takes its images as exactly one of three inputs:
//   image   BYTES [n] or [n, 1]    encoded files, as /predict takes them
//   pixels  UINT8 [n, h, w, 3]     RGB of any size, resized and normalised as decoded files are
//   input   FP32  [n, 3, h, w]     what the network itself takes, preprocessed by the client
// and gives `probabilities` FP32 [n, classes], `label` BYTES [n] and `doubt` BYTES [n].
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "http/work_pool.hpp"
#include "serve/http_status.hpp"
#include "serve/model_pool.hpp"
#include "serve/predictor.hpp"
#include "serve/tensors.hpp"

namespace imago::serve {

using InferResult = tl::expected<InferResponse, Refusal>;
/// Must not block.
using InferDone = std::function<void(InferResult result)>;

struct TensorInfo {
  std::string_view name;
  std::string_view datatype;
  TensorShape shape;  ///< -1: any
};
struct ModelInfo {
  std::string name;
  std::vector<int> versions;  ///< that are loaded
  std::vector<TensorInfo> inputs, outputs;
};
/// In the shape of Triton's statistics extension; all counts are of images but that of failures, which are requests,
/// and of executions, which are batches.
struct ModelStatistics {
  struct Duration {
    std::int64_t count = 0;
    std::chrono::nanoseconds time{0};
  };
  struct Batches {
    int size = 0;
    Duration input, infer, output;
  };
  std::string name;
  int version = 0;
  WallTime last;  ///< when an image was last classified
  std::int64_t inferences = 0, executions = 0;
  Duration success, failure, queue, input, infer, output;
  std::vector<Batches> batches;
};

/// Safe from any thread.
class OpenInference {
 public:
  static constexpr int kMostImages = 256;  ///< in one request

  /// Its threads, for large requests, are those of `limits`.
  OpenInference(const ModelPool& models, const PredictorOptions& limits);

  /// Answers once, on this thread or another. Small images are decoded and preprocessed on this one, larger ones on
  /// threads of its own. Bytes that inputs only look at stay valid until the answer. NotFound for a model that is not
  /// loaded; InvalidArgument for tensors that do not fit it; ResourceExhausted with Blame::Request for more than
  /// kMostImages, with Blame::Service when too many wait.
  void infer(InferRequest request, const InferDone& done) const;
  /// The same, with everything on this thread.
  void infer_here(InferRequest request, const InferDone& done) const;
  /// For what is too long for an event loop: does it on the threads for large requests. ResourceExhausted when too much
  /// waits for them; it is then not done.
  Result<void> run_later(std::function<void()> work) const;

  /// NotFound when it is not loaded.
  [[nodiscard]] Result<ModelInfo> info(std::string_view model, std::optional<int> version) const;
  /// Of one version, or of all versions of a model, or of all models when `model` is empty. NotFound as above.
  [[nodiscard]] Result<std::vector<ModelStatistics>> statistics(std::string_view model,
                                                                std::optional<int> version) const;

 private:
  [[nodiscard]] bool is_small(const InferRequest& request) const;

  const ModelPool& models_;
  const PredictorOptions limits_;
  mutable http::WorkPool workers_;
};

}  // namespace imago::serve
