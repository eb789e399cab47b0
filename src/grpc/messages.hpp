// SPDX-License-Identifier: Apache-2.0
// The messages of the Open Inference Protocol over gRPC, to and from what the core knows.
#pragma once

#include <vector>

#include "base/error.hpp"
#include "inference.pb.h"
#include "json/json.hpp"
#include "serve/infer_parameters.hpp"
#include "serve/open_inference.hpp"
#include "serve/open_inference_server.hpp"
#include "serve/tensors.hpp"

namespace imago::grpc {

struct Inference {
  serve::InferRequest request;  ///< without times; looks into the message
  serve::RequestParameters parameters;
  bool raw = true;  ///< outputs in raw_output_contents, else typed: as the inputs came, or as the client says
};

/// InvalidArgument naming the tensor that is wrong; Unsupported for shared memory. No tensor takes more memory than the
/// message itself.
Result<Inference> read_inference(const inference::ModelInferRequest& message);
void write_inference(const serve::InferResponse& response, bool raw, inference::ModelInferResponse& message);

/// A version as requests name it: empty is none, which means the default.
Result<std::optional<int>> read_version(const std::string& text);

/// An object. Bytes are text.
json::Value read_parameters(const google::protobuf::Map<std::string, inference::ModelRepositoryParameter>& parameters);

void write_metadata(const serve::ModelInfo& info, inference::ModelMetadataResponse& message);
void write_config(const serve::ModelInfo& info, inference::ModelConfig& message);
void write_statistics(const std::vector<serve::ModelStatistics>& models, inference::ModelStatisticsResponse& message);
void write_repository(const std::vector<serve::RepositoryRow>& rows, inference::RepositoryIndexResponse& message);

}  // namespace imago::grpc
