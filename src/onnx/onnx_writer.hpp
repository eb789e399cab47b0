// SPDX-License-Identifier: Apache-2.0
// Graph and weights to ONNX. Its protobuf must not meet OpenVINO's in one process, so only the trainer links this.
#pragma once

#include <string>

#include "base/error.hpp"
#include "model/graph.hpp"

namespace imago::onnx {

/// Serialised ONNX ModelProto, opset 13 and IR 8: input "image" float32 [n, c, h, w], output "logits" float32 [n,
/// outputs], with BatchNorm folded into the convolution before it where there is one, dropout left out. InvalidArgument
/// when weights do not fit the graph.
Result<std::string> encode_onnx(const model::Graph& graph, const model::Weights& weights, const std::string& name);

}  // namespace imago::onnx
