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

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "image/decode.hpp"
#include "serve/http_status.hpp"
#include "serve/model_pool.hpp"
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
struct ModelCounts {
  std::string name;
  int version = 0;
  monitor::ModelTotals totals;
};

/// Safe from any thread.
class OpenInference {
 public:
  static constexpr int kMostImages = 256;  ///< in one request

  OpenInference(const ModelPool& models, const image::DecodeLimits& limits) : models_(models), limits_(limits) {}

  /// Decodes and preprocesses on the calling thread, then answers once, there or on an inference thread. Bytes that
  /// inputs only look at stay valid until then. NotFound for a model that is not loaded; InvalidArgument for tensors
  /// that do not fit it; ResourceExhausted with Blame::Request for more than kMostImages.
  void infer(InferRequest request, InferDone done) const;

  /// NotFound when it is not loaded.
  [[nodiscard]] Result<ModelInfo> info(std::string_view model, std::optional<int> version) const;
  /// Of one version, or of all versions of a model, or of all models when `model` is empty. NotFound as above.
  [[nodiscard]] Result<std::vector<ModelCounts>> counts(std::string_view model, std::optional<int> version) const;

 private:
  const ModelPool& models_;
  const image::DecodeLimits limits_;
};

}  // namespace imago::serve
