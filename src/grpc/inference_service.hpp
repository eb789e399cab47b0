// SPDX-License-Identifier: Apache-2.0
// The methods of GRPCInferenceService, on gRPC's callbacks: no thread waits for an answer.
#pragma once

#include <atomic>
#include <functional>
#include <optional>

#include "grpc/infer_stream.hpp"
#include "inference.grpc.pb.h"

namespace imago::grpc {

class InferenceService final : public inference::GRPCInferenceService::CallbackService {
 public:
  explicit InferenceService(const serve::OpenInferenceHost& host) : host_(host) {}

  /// New calls are UNAVAILABLE from here on; streams end, each once it has answered what it has read.
  void stop();

 private:
  using Context = ::grpc::CallbackServerContext;
  using Unary = ::grpc::ServerUnaryReactor;

  Unary* ServerLive(Context* context, const inference::ServerLiveRequest* request,
                    inference::ServerLiveResponse* response) override;
  Unary* ServerReady(Context* context, const inference::ServerReadyRequest* request,
                     inference::ServerReadyResponse* response) override;
  Unary* ModelReady(Context* context, const inference::ModelReadyRequest* request,
                    inference::ModelReadyResponse* response) override;
  Unary* ServerMetadata(Context* context, const inference::ServerMetadataRequest* request,
                        inference::ServerMetadataResponse* response) override;
  Unary* ModelMetadata(Context* context, const inference::ModelMetadataRequest* request,
                       inference::ModelMetadataResponse* response) override;
  Unary* ModelConfig(Context* context, const inference::ModelConfigRequest* request,
                     inference::ModelConfigResponse* response) override;
  Unary* ModelStatistics(Context* context, const inference::ModelStatisticsRequest* request,
                         inference::ModelStatisticsResponse* response) override;
  Unary* ModelInfer(Context* context, const inference::ModelInferRequest* request,
                    inference::ModelInferResponse* response) override;
  ::grpc::ServerBidiReactor<inference::ModelInferRequest, inference::ModelStreamInferResponse>* ModelStreamInfer(
      Context* context) override;
  Unary* RepositoryIndex(Context* context, const inference::RepositoryIndexRequest* request,
                         inference::RepositoryIndexResponse* response) override;
  Unary* RepositoryModelLoad(Context* context, const inference::RepositoryModelLoadRequest* request,
                             inference::RepositoryModelLoadResponse* response) override;
  Unary* RepositoryModelUnload(Context* context, const inference::RepositoryModelUnloadRequest* request,
                               inference::RepositoryModelUnloadResponse* response) override;

  /// How a call ends that may not go on.
  std::optional<Ending> refuse(Call& call, access::Scope scope) const;

  using Work = std::function<Result<void>()>;
  /// Runs `work` at once, if the caller may ask for it. What goes wrong is the request's.
  Unary* answer(Context& context, std::string_view method, access::Scope scope, const Work& work) const;
  /// The same, where files and SQL may be read.
  /// @param changes  the model that it changes, for the audit log; empty: none
  Unary* answer_later(Context& context, std::string_view method, access::Scope scope, Work work,
                      const std::string& changes = {}) const;

  const serve::OpenInferenceHost host_;
  OpenStreams streams_;
  std::atomic<bool> stopping_{false};
};

}  // namespace imago::grpc
