// SPDX-License-Identifier: Apache-2.0
#include "grpc/infer_call.hpp"

#include <algorithm>

#include "serve/urgency.hpp"

namespace imago::grpc {
namespace {

Result<Inference> read(const serve::OpenInferenceHost& host, const Call& call,
                       const inference::ModelInferRequest& message) {
  TRY(auto inference, read_inference(message));
  TRY(const auto urgency, serve::urgency_of(call.request(), host.server.limits.timeout));
  serve::set_urgency(inference.request, call.request().received, urgency, inference.parameters);
  inference.request.deadline = std::min(inference.request.deadline, call.deadline());
  return inference;
}

using Start = void (serve::OpenInference::*)(serve::InferRequest request, const serve::InferDone& done) const;

void read_and_start(const serve::OpenInferenceHost& host, const Call& call, const inference::ModelInferRequest& message,
                    inference::ModelInferResponse& answer, const std::function<void(Ending)>& done, Start start) {
  auto inference = read(host, call, message);
  if (!inference) return done(ending_of(serve::Refusal{std::move(inference.error()), serve::Blame::Request}));
  (host.core.*start)(std::move(inference->request), [&answer, raw = inference->raw, done](serve::InferResult result) {
    if (!result) return done(ending_of(result.error()));
    write_inference(*result, raw, answer);
    done({});
  });
}

}  // namespace

void infer(const serve::OpenInferenceHost& host, const Call& call, const inference::ModelInferRequest& message,
           inference::ModelInferResponse& answer, const std::function<void(Ending)>& done) {
  if (message.ByteSizeLong() <= host.server.limits.inline_bytes) {
    return read_and_start(host, call, message, answer, done, &serve::OpenInference::infer);
  }
  auto later = host.core.run_later([&host, &call, &message, &answer, done] {
    read_and_start(host, call, message, answer, done, &serve::OpenInference::infer_here);
  });
  if (!later) done(ending_of(serve::Refusal{std::move(later.error()), serve::Blame::Service}));
}

}  // namespace imago::grpc
