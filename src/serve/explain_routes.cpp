// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>

#include "http/work_pool.hpp"
#include "image/decode.hpp"
#include "serve/api.hpp"
#include "serve/base64.hpp"
#include "serve/explainer.hpp"
#include "serve/negotiate.hpp"
#include "serve/predict_input.hpp"

namespace imago::serve {
namespace {

/// Each is a process with libtorch in it: more than two at a time would take the processor from predictions.
constexpr int kAtOnce = 2;
constexpr std::size_t kMayWait = 8;

struct Job {
  Reply reply;
  std::shared_ptr<const ModelFace> face;
  PredictInput input;
  std::optional<int> class_index;
};

json::Value answer(const Job& job, const Explanation& explanation) {
  json::Value value = to_json(explanation, job.face->spec.labels);
  value["overlay"] = "data:image/png;base64," + encode_base64(explanation.overlay_png);
  value["model"] = job.face->status["name"];
  value["model_version"] = job.face->status["version"];
  value["request_id"] = job.reply.request_id();
  return value;
}

/// Decoded before the trainer is asked: a bad image is the client's fault, whatever fails later is ours.
struct Pixels {
  image::Image for_model;
  image::Image shown;
};

Result<Pixels> decode(const PredictInput& input, const image::Preprocess& preprocess) {
  if (const auto* given = std::get_if<image::Image>(&input.image)) return Pixels{*given, *given};
  const Bytes encoded = std::get<Encoded>(input.image).bytes();
  Pixels pixels;
  TRY(pixels.for_model, image::decode_for(preprocess, encoded));
  TRY(pixels.shown, image::decode_for_display(encoded));
  return pixels;
}

void work(const Api& api, Job& job) {
  const auto pixels = decode(job.input, job.face->spec.preprocess);
  if (!pixels) return job.reply.fail(pixels.error(), Blame::Request);
  const Explainer explainer{.trainer = api.backend.trainer, .package = job.face->folder, .should_stop = {}};
  const auto explanation = explain(explainer, job.face->spec, pixels->for_model, pixels->shown, job.class_index);
  if (!explanation) return job.reply.fail(explanation.error(), Blame::Service);
  if (accepts_by_name(job.reply.request().header("Accept"), "image/png")) {
    return job.reply.send(
        {.headers = {{"Content-Type", "image/png"}, {"Vary", "Accept"}}, .body = explanation->overlay_png});
  }
  job.reply.send({.headers = {{"Content-Type", "application/json"}, {"Vary", "Accept"}},
                  .body = json::dump(answer(job, *explanation))});
}

}  // namespace

void add_explain_routes(RouteList& routes, const Api& api) {
  const auto pool = std::make_shared<http::WorkPool>(kAtOnce, kMayWait);
  routes.add("POST", "/v1/explain", Scope::Predict, [api, pool](Reply reply) {
    const auto model = api.current();
    if (!model) return reply.fail({ErrorCode::Unavailable, "no model is loaded; /ready says why"}, Blame::Service);
    const auto& spec = model->face()->spec;
    const auto class_index = class_from(spec, reply.request().parameter("class"));
    if (!class_index) return reply.fail(class_index.error(), Blame::Request);
    auto input = find_image(reply.request(), spec.preprocess);
    if (!input) return reply.fail(input.error().status, input.error().error);
    const auto job = std::make_shared<Job>(Job{std::move(reply), model->face(), std::move(*input), *class_index});
    if (!pool->try_run([api, job] { work(api, *job); }))
      job->reply.fail({ErrorCode::ResourceExhausted, "too many explanations are waiting, try again"}, Blame::Service);
  });
}

}  // namespace imago::serve
