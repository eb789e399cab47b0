// SPDX-License-Identifier: Apache-2.0
#include "grpc/inference_service.hpp"

#include <memory>

namespace imago::grpc {
namespace {

using access::Scope;

Ending ending_of(const Result<void>& done) {
  return done ? Ending{} : grpc::ending_of(serve::Refusal{done.error(), serve::Blame::Request});
}

Result<serve::ModelInfo> info(const serve::OpenInferenceHost& host, const std::string& model,
                              const std::string& version) {
  TRY(const auto number, read_version(version));
  return host.core.info(model, number);
}

Result<serve::Hosting*> hosting(const serve::OpenInferenceHost& host) {
  if (host.server.hosting == nullptr) return fail(ErrorCode::Unsupported, "this server has no model repository");
  return host.server.hosting;
}

}  // namespace

void InferenceService::stop() {
  stopping_ = true;
  streams_.stop();
}

std::optional<Ending> InferenceService::refuse(Call& call, Scope scope) const {
  if (!stopping_) return call.admit(scope);
  return grpc::ending_of(serve::Refusal{{ErrorCode::Unavailable, "the server is stopping"}, serve::Blame::Service});
}

::grpc::ServerUnaryReactor* InferenceService::answer(Context& context, std::string_view method, Scope scope,
                                                     const Work& work) const {
  Call call(context, host_, method);
  auto* reactor = context.DefaultReactor();
  auto refused = refuse(call, scope);
  finish(context, *reactor, call, refused ? *std::move(refused) : ending_of(work()));
  return reactor;
}

::grpc::ServerUnaryReactor* InferenceService::answer_later(Context& context, std::string_view method, Scope scope,
                                                           Work work, const std::string& changes) const {
  const auto call = std::make_shared<Call>(context, host_, method);
  auto* reactor = context.DefaultReactor();
  auto* trail = changes.empty() ? nullptr : host_.trail;
  const auto write = [call, changes](const Ending& ending) {
    return serve::Write{call->request(), ending.http_status, call->mark(), call->verdict().key.get(), "grpc", changes};
  };
  if (auto refused = refuse(*call, scope)) {
    if (trail != nullptr) trail->record_refusal(write(*refused));
    finish(context, *reactor, *call, *std::move(refused));
    return reactor;
  }
  const auto run = [call, &context, reactor, work = std::move(work), trail, write] {
    auto ending = ending_of(work());
    if (trail != nullptr) trail->record(write(ending));
    finish(context, *reactor, *call, std::move(ending));
  };
  if (!host_.blocking.try_run(run)) {
    const Error busy{ErrorCode::ResourceExhausted, "too many requests of this kind are waiting"};
    finish(context, *reactor, *call, grpc::ending_of(serve::Refusal{busy, serve::Blame::Service}));
  }
  return reactor;
}

::grpc::ServerUnaryReactor* InferenceService::ServerLive(Context* context, const inference::ServerLiveRequest*,
                                                         inference::ServerLiveResponse* response) {
  return answer(*context, "ServerLive", Scope::Open, [&]() -> Result<void> {
    response->set_live(true);
    return {};
  });
}

::grpc::ServerUnaryReactor* InferenceService::ServerReady(Context* context, const inference::ServerReadyRequest*,
                                                          inference::ServerReadyResponse* response) {
  return answer(*context, "ServerReady", Scope::Open, [&]() -> Result<void> {
    response->set_ready(host_.server.not_ready().empty());
    return {};
  });
}

::grpc::ServerUnaryReactor* InferenceService::ModelReady(Context* context, const inference::ModelReadyRequest* request,
                                                         inference::ModelReadyResponse* response) {
  return answer(*context, "ModelReady", Scope::Open, [&]() -> Result<void> {
    const auto found = info(host_, request->name(), request->version());
    if (!found && found.error().code != ErrorCode::NotFound) return tl::unexpected(found.error());
    response->set_ready(found.has_value());
    return {};
  });
}

::grpc::ServerUnaryReactor* InferenceService::ServerMetadata(Context* context, const inference::ServerMetadataRequest*,
                                                             inference::ServerMetadataResponse* response) {
  return answer(*context, "ServerMetadata", Scope::Open, [&]() -> Result<void> {
    response->set_name(serve::kServerName);
    response->set_version(host_.server.version);
    for (const auto extension : serve::server_extensions(host_.server))
      response->add_extensions(std::string(extension));
    response->add_extensions("model_configuration");
    return {};
  });
}

::grpc::ServerUnaryReactor* InferenceService::ModelMetadata(Context* context,
                                                            const inference::ModelMetadataRequest* request,
                                                            inference::ModelMetadataResponse* response) {
  return answer(*context, "ModelMetadata", Scope::Predict, [&]() -> Result<void> {
    TRY(const auto found, info(host_, request->name(), request->version()));
    write_metadata(found, *response);
    return {};
  });
}

::grpc::ServerUnaryReactor* InferenceService::ModelConfig(Context* context,
                                                          const inference::ModelConfigRequest* request,
                                                          inference::ModelConfigResponse* response) {
  return answer(*context, "ModelConfig", Scope::Predict, [&]() -> Result<void> {
    TRY(const auto found, info(host_, request->name(), request->version()));
    write_config(found, *response->mutable_config());
    return {};
  });
}

::grpc::ServerUnaryReactor* InferenceService::ModelStatistics(Context* context,
                                                              const inference::ModelStatisticsRequest* request,
                                                              inference::ModelStatisticsResponse* response) {
  return answer(*context, "ModelStatistics", Scope::Predict, [&]() -> Result<void> {
    TRY(const auto version, read_version(request->version()));
    TRY(const auto models, host_.core.statistics(request->name(), version));
    write_statistics(models, *response);
    return {};
  });
}

::grpc::ServerUnaryReactor* InferenceService::ModelInfer(Context* context, const inference::ModelInferRequest* request,
                                                         inference::ModelInferResponse* response) {
  const auto call = std::make_shared<Call>(*context, host_, "ModelInfer");
  auto* reactor = context->DefaultReactor();
  if (auto refused = refuse(*call, Scope::Predict)) {
    finish(*context, *reactor, *call, *std::move(refused));
  } else {
    infer(host_, *call, *request, *response,
          [context, reactor, call](Ending ending) { finish(*context, *reactor, *call, std::move(ending)); });
  }
  return reactor;
}

::grpc::ServerBidiReactor<inference::ModelInferRequest, inference::ModelStreamInferResponse>*
InferenceService::ModelStreamInfer(Context* context) {
  return InferStream::open(host_, Call(*context, host_, "ModelStreamInfer"), streams_);
}

::grpc::ServerUnaryReactor* InferenceService::RepositoryIndex(Context* context,
                                                              const inference::RepositoryIndexRequest* request,
                                                              inference::RepositoryIndexResponse* response) {
  return answer_later(*context, "RepositoryIndex", Scope::Predict, [=, this]() -> Result<void> {
    TRY(const auto* repository, hosting(host_));
    TRY(const auto rows, serve::repository_rows(*repository, request->ready()));
    write_repository(rows, *response);
    return {};
  });
}

::grpc::ServerUnaryReactor* InferenceService::RepositoryModelLoad(Context* context,
                                                                  const inference::RepositoryModelLoadRequest* request,
                                                                  inference::RepositoryModelLoadResponse*) {
  return answer_later(
      *context, "RepositoryModelLoad", Scope::Admin,
      [=, this]() -> Result<void> {
        TRY(auto* repository, hosting(host_));
        TRY(const auto version, serve::version_to_change(read_parameters(request->parameters())));
        return repository->load(request->model_name(), version);
      },
      request->model_name());
}

::grpc::ServerUnaryReactor* InferenceService::RepositoryModelUnload(
    Context* context, const inference::RepositoryModelUnloadRequest* request,
    inference::RepositoryModelUnloadResponse*) {
  return answer_later(
      *context, "RepositoryModelUnload", Scope::Admin,
      [=, this]() -> Result<void> {
        TRY(auto* repository, hosting(host_));
        TRY(const auto version, serve::version_to_change(read_parameters(request->parameters())));
        return repository->unload(request->model_name(), version);
      },
      request->model_name());
}

}  // namespace imago::grpc
