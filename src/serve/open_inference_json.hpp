// SPDX-License-Identifier: Apache-2.0
// Inferences of the Open Inference Protocol as HTTP carries them: JSON, with tensors in it or, after it, as bytes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/server.hpp"
#include "serve/infer_parameters.hpp"
#include "serve/tensors.hpp"

namespace imago::serve {

/// Says how many bytes of a body are JSON; the rest is tensors.
inline constexpr const char* kJsonLengthHeader = "Inference-Header-Content-Length";

struct RestInference {
  InferRequest request;  ///< without model, version and times; looks into the body
  RequestParameters parameters;
  std::vector<bool> binary;  ///< by wanted output: as bytes after the JSON

  /// When no output was named.
  [[nodiscard]] bool otherwise_binary() const { return parameters.binary_output.value_or(false); }
};

/// @param json_length  the header kJsonLengthHeader, empty when there is none; "0": the body is one encoded image.
/// InvalidArgument or Corrupt naming the member or tensor that is wrong. Nothing is allocated for a tensor before its
/// shape has been held against the bytes that came.
Result<RestInference> parse_inference(std::string_view body, std::string_view json_length);

/// The answer, with kJsonLengthHeader when it has binary tensors.
http::Response format_inference(const InferResponse& response, const RestInference& asked);

}  // namespace imago::serve
