// SPDX-License-Identifier: Apache-2.0
// The Open Inference Protocol, version 2, without a transport: what the models look like as tensors, and inferences.
// docs/api/open_inference.md
//
// A model takes its images as exactly one of three inputs:
//   image   BYTES [n] or [n, 1]    encoded files, as /predict takes them
//   pixels  UINT8 [n, h, w, 3]     RGB of any size, resized and normalised as decoded files are
//   input   FP32  [n, 3, h, w]     what the network itself takes, preprocessed by the client
// and gives `probabilities` FP32 [n, classes] and `label` BYTES [n].
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "image/decode.hpp"
#include "serve/http_status.hpp"
#include "serve/model_pool.hpp"
#include "serve/predict_input.hpp"

namespace imago::serve {

using TensorShape = std::vector<std::int64_t>;

/// The product; at most 2^31. InvalidArgument for more than 8 dimensions, a negative one, or more elements.
Result<std::size_t> element_count(const TensorShape& shape);
/// "[1, 3, 32, 32]".
std::string to_string(const TensorShape& shape);

struct InferInput {
  std::string name;
  TensorShape shape;
  /// FP32, UINT8 or BYTES, as many as the shape says.
  std::variant<std::vector<float>, std::vector<std::uint8_t>, std::vector<Encoded>> data;
};

struct WantedOutput {
  std::string name;
  int classification = 0;  ///< above 0: the likeliest so many classes, as "probability:index:label", BYTES [n, k]
};

struct InferRequest {
  std::string model;
  std::optional<int> version;  ///< none: the default
  std::string id;              ///< comes back
  std::vector<InferInput> inputs;
  std::vector<WantedOutput> outputs;  ///< none: all there are
  SteadyTime received;
  SteadyTime deadline;
  infer::Priority priority = infer::Priority::Normal;
};

struct InferOutput {
  std::string name;
  TensorShape shape;
  std::variant<std::vector<float>, std::vector<std::string>> data;  ///< FP32 or BYTES
};

struct InferResponse {
  std::string model;
  int version = 0;
  std::string id;
  std::vector<InferOutput> outputs;
};

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
