// SPDX-License-Identifier: Apache-2.0
#include "serve/open_inference_rest.hpp"

#include <algorithm>
#include <cmath>

#include "serve/negotiate.hpp"
#include "serve/open_inference_json.hpp"
#include "serve/parameters.hpp"
#include "serve/urgency.hpp"

namespace imago::serve {
namespace {

constexpr const char* kPlatform = "openvino_onnx";

json::Value shape_json(const TensorShape& shape) { return json::Value(shape); }

json::Value tensors_json(const std::vector<TensorInfo>& tensors) {
  json::Value rows = json::Value::array();
  for (const auto& tensor : tensors)
    rows.push_back({{"name", tensor.name}, {"datatype", tensor.datatype}, {"shape", shape_json(tensor.shape)}});
  return rows;
}

/// Which model a path names.
struct Named {
  std::string model;
  std::optional<int> version;
};

Result<Named> named_by(const http::Request& request) {
  Named named;
  if (const auto model = request.captures.find("model"); model != request.captures.end()) named.model = model->second;
  if (const auto version = request.captures.find("version"); version != request.captures.end()) {
    TRY(named.version, version_number(version->second));
  }
  return named;
}

void send(Reply& reply, const Result<json::Value>& answer) {
  if (answer) return reply.send_json(*answer);
  reply.fail(answer.error(), Blame::Request);
}

json::Value duration_json(std::int64_t count, std::chrono::microseconds time) {
  return {{"count", count}, {"ns", std::chrono::nanoseconds(time).count()}};
}

/// In the shape of the statistics extension; all counts are of images but that of failures, which are requests.
json::Value counts_json(const ModelCounts& counts) {
  const auto& totals = counts.totals;
  const auto input = totals.decode + totals.preprocess;
  json::Value batches = json::Value::array();
  std::int64_t executions = 0;
  for (const auto& [size, batch] : totals.by_batch_size) {
    const std::int64_t times = (batch.images + size - 1) / std::max(size, 1);
    executions += times;
    batches.push_back({{"batch_size", size},
                       {"compute_input", duration_json(times, {})},
                       {"compute_infer", duration_json(times, batch.infer / std::max(size, 1))},
                       {"compute_output", duration_json(times, {})}});
  }
  const auto last = std::chrono::duration_cast<std::chrono::milliseconds>(totals.last.time_since_epoch()).count();
  return {{"name", counts.name},
          {"version", std::to_string(counts.version)},
          {"last_inference", last},
          {"inference_count", totals.images},
          {"execution_count", executions},
          {"inference_stats",
           {{"success", duration_json(totals.images, totals.total)},
            {"fail", duration_json(totals.failures, {})},
            {"queue", duration_json(totals.images, totals.queue)},
            {"compute_input", duration_json(totals.images, input)},
            {"compute_infer", duration_json(totals.images, totals.infer)},
            {"compute_output", duration_json(totals.images, {})},
            {"cache_hit", duration_json(0, {})},
            {"cache_miss", duration_json(0, {})}}},
          {"batch_stats", std::move(batches)}};
}

/// Images of a decoded size, or files of a few bytes that say they are small, take no longer than other requests.
bool is_small(const InferRequest& request, const PredictorOptions& limits) {
  std::size_t pixels = 0;
  for (const auto& input : request.inputs) {
    if (const auto* images = std::get_if<std::vector<Encoded>>(&input.data)) {
      for (const auto& image : *images) {
        const auto probe = image::probe(image.bytes(), limits.decode);
        if (probe) pixels += static_cast<std::size_t>(probe->width) * static_cast<std::size_t>(probe->height);
      }
    } else {
      pixels += std::visit([](const auto& data) { return data.size() / 3; }, input.data);
    }
  }
  return pixels <= limits.inline_pixels;
}

}  // namespace

OpenInferenceRest::OpenInferenceRest(const OpenInference& core, OpenInferenceServer server)
    : core_(core), server_(std::move(server)), workers_(server_.limits.decode_threads, server_.limits.decode_queue) {}

void OpenInferenceRest::add_routes(RouteList& routes) {
  routes.add("GET", "/v2", Scope::Open, [this](Reply reply) { server_metadata(std::move(reply)); });
  routes.add("GET", "/v2/health/live", Scope::Open, [](Reply reply) { reply.send_json({{"live", true}}); });
  routes.add("GET", "/v2/health/ready", Scope::Open, [this](Reply reply) {
    const std::string why = server_.not_ready();
    if (!why.empty()) return reply.fail({ErrorCode::Unavailable, why}, Blame::Service);
    reply.send_json({{"ready", true}});
  });
  add_model_routes(routes);
  if (server_.hosting != nullptr) add_repository_routes(routes);
}

void OpenInferenceRest::add_model_routes(RouteList& routes) {
  const auto stats = [this](Reply reply) { statistics(std::move(reply)); };
  routes.add("GET", "/v2/models/stats", Scope::Predict, stats);
  for (const std::string path : {"/v2/models/{model}", "/v2/models/{model}/versions/{version}"}) {
    routes.add("GET", path, Scope::Predict, [this](Reply reply) { model_metadata(std::move(reply)); });
    routes.add("GET", path + "/ready", Scope::Open, [this](Reply reply) { model_ready(std::move(reply)); });
    routes.add("GET", path + "/stats", Scope::Predict, stats);
    routes.add(
        "POST", path + "/infer", Scope::Predict, [this](Reply reply) { infer(std::move(reply)); }, true);
  }
}

void OpenInferenceRest::add_repository_routes(RouteList& routes) {
  routes.add_blocking("POST", "/v2/repository/index", Scope::Predict,
                      [this](Reply reply) { repository_index(std::move(reply)); });
  routes.add_blocking("POST", "/v2/repository/models/{model}/load", Scope::Admin,
                      [this](Reply reply) { load(std::move(reply)); });
  routes.add_blocking("POST", "/v2/repository/models/{model}/unload", Scope::Admin,
                      [this](Reply reply) { unload(std::move(reply)); });
}

void OpenInferenceRest::server_metadata(Reply reply) const {
  json::Value extensions{"binary_tensor_data", "classification", "statistics"};
  if (server_.hosting != nullptr) extensions.push_back("model_repository");
  reply.send_json({{"name", "imago"}, {"version", server_.version}, {"extensions", std::move(extensions)}});
}

void OpenInferenceRest::model_metadata(Reply reply) const {
  const auto describe = [&]() -> Result<json::Value> {
    TRY(const auto named, named_by(reply.request()));
    TRY(const auto info, core_.info(named.model, named.version));
    json::Value versions = json::Value::array();
    for (const int version : info.versions) versions.push_back(std::to_string(version));
    return json::Value{{"name", info.name},
                       {"versions", std::move(versions)},
                       {"platform", kPlatform},
                       {"inputs", tensors_json(info.inputs)},
                       {"outputs", tensors_json(info.outputs)}};
  };
  send(reply, describe());
}

void OpenInferenceRest::model_ready(Reply reply) const {
  const auto look = [&]() -> Result<json::Value> {
    TRY(const auto named, named_by(reply.request()));
    TRY_VOID(core_.info(named.model, named.version));
    return json::Value{{"name", named.model}, {"ready", true}};
  };
  send(reply, look());
}

void OpenInferenceRest::statistics(Reply reply) const {
  const auto count = [&]() -> Result<json::Value> {
    TRY(const auto named, named_by(reply.request()));
    TRY(const auto all, core_.counts(named.model, named.version));
    json::Value rows = json::Value::array();
    for (const auto& counts : all) rows.push_back(counts_json(counts));
    return json::Value{{"model_stats", std::move(rows)}};
  };
  send(reply, count());
}

/// An inference on its way: the tensors look into the body of the request behind `reply`.
struct OpenInferenceRest::Call {
  explicit Call(Reply to) : reply(std::move(to)) {}
  Reply reply;
  RestInference asked;

  /// False when it has been answered because the request was no good.
  bool read(std::chrono::milliseconds most);
  Result<void> parse(std::chrono::milliseconds most);
};

bool OpenInferenceRest::Call::read(std::chrono::milliseconds most) {
  const auto encoding = reply.request().header("Content-Encoding");
  if (!encoding.empty() && encoding != "identity") {
    reply.fail(415,
               {ErrorCode::Unsupported, fmt::format("Content-Encoding '{}' is not taken", encoding.substr(0, 64))});
    return false;
  }
  const auto parsed = parse(most);
  if (!parsed) reply.fail(parsed.error(), Blame::Request);
  return parsed.has_value();
}

Result<void> OpenInferenceRest::Call::parse(std::chrono::milliseconds most) {
  const http::Request& request = reply.request();
  TRY(auto named, named_by(request));
  TRY(const auto urgency, urgency_of(request, most));
  TRY(asked, parse_inference(request.body, request.header(kJsonLengthHeader)));
  asked.request.model = std::move(named.model);
  asked.request.version = named.version;
  asked.request.received = request.received;
  asked.request.priority = urgency.priority;
  std::chrono::microseconds timeout = urgency.timeout;
  if (asked.timeout_micros > 0) timeout = std::min(timeout, std::chrono::microseconds(asked.timeout_micros));
  asked.request.deadline = request.received + timeout;
  return {};
}

void OpenInferenceRest::infer(Reply reply) {
  const auto call = std::make_shared<Call>(std::move(reply));
  const auto most = server_.limits.timeout;
  if (call->reply.request().body.size() > server_.limits.inline_bytes)
    return run_later(call, [this, call, most] {
      if (call->read(most)) run(call);
    });
  if (!call->read(most)) return;
  if (is_small(call->asked.request, server_.limits)) return run(call);
  run_later(call, [this, call] { run(call); });
}

void OpenInferenceRest::run_later(const std::shared_ptr<Call>& call, std::function<void()> work) {
  if (workers_.try_run(std::move(work))) return;
  call->reply.fail({ErrorCode::ResourceExhausted, "too many large requests are being decoded, try again"},
                   Blame::Service);
}

void OpenInferenceRest::run(const std::shared_ptr<Call>& call) const {
  InferRequest request = std::move(call->asked.request);
  core_.infer(std::move(request), [call](InferResult result) {
    if (!result) return call->reply.fail(result.error().error, result.error().blame);
    call->reply.send(format_inference(*result, call->asked));
  });
}

void OpenInferenceRest::repository_index(Reply reply) const {
  const auto list = [&]() -> Result<json::Value> {
    TRY(const auto body, json_body(reply.request()));
    TRY(const bool ready_only, json::get_or<bool>(body, "ready", false));
    TRY(const auto states, server_.hosting->repository());
    json::Value rows = json::Value::array();
    for (const auto& state : states) {
      const bool ready = state.state == "ready";
      if (ready_only && !ready) continue;
      json::Value row{{"name", state.name},
                      {"version", std::to_string(state.version)},
                      {"state", ready                      ? "READY"
                                : state.state == "loading" ? "LOADING"
                                                           : "UNAVAILABLE"}};
      if (!ready) row["reason"] = state.reason.empty() ? state.state : state.reason;
      rows.push_back(std::move(row));
    }
    return rows;
  };
  send(reply, list());
}

namespace {

/// Of a body {"parameters": {"version": "3"}}: an extension of ours. Models are what they were registered as: Triton's
/// `config` and `file:` parameters are refused.
Result<std::optional<int>> version_to_change(const http::Request& request) {
  TRY(const auto body, json_body(request));
  TRY(const auto parameters, json::get_or<json::Value>(body, "parameters", json::Value::object()));
  if (!parameters.is_object())
    return fail(ErrorCode::InvalidArgument, "'parameters' is {}, not an object", parameters.type_name());
  std::optional<int> version;
  for (const auto& [key, value] : parameters.items()) {
    if (key == "config" || key.starts_with("file:"))
      return fail(ErrorCode::Unsupported, "parameter '{}' is not taken: models are loaded as they were registered",
                  key.substr(0, 64));
    if (key != "version") continue;
    TRY(version, version_number(value.is_string() ? value.get<std::string>() : json::dump(value)));
  }
  return version;
}

void send_change(Reply& reply, const Result<void>& changed) {
  if (!changed) return reply.fail(changed.error(), Blame::Request);
  reply.send({.headers = {{"Content-Type", "application/json"}}, .body = "{}"});
}

}  // namespace

void OpenInferenceRest::load(Reply reply) const {
  const auto version = version_to_change(reply.request());
  if (!version) return reply.fail(version.error(), Blame::Request);
  send_change(reply, server_.hosting->load(reply.request().captures.at("model"), *version));
}

void OpenInferenceRest::unload(Reply reply) const {
  const auto version = version_to_change(reply.request());
  if (!version) return reply.fail(version.error(), Blame::Request);
  send_change(reply, server_.hosting->unload(reply.request().captures.at("model"), *version));
}

}  // namespace imago::serve
