// SPDX-License-Identifier: Apache-2.0
#include "serve/open_inference_rest.hpp"

#include "serve/negotiate.hpp"
#include "serve/open_inference_json.hpp"
#include "serve/parameters.hpp"
#include "serve/urgency.hpp"

namespace imago::serve {
namespace {

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

json::Value duration_json(const ModelStatistics::Duration& duration) {
  return {{"count", duration.count}, {"ns", duration.time.count()}};
}

json::Value statistics_json(const ModelStatistics& model) {
  json::Value batches = json::Value::array();
  for (const auto& batch : model.batches) {
    batches.push_back({{"batch_size", batch.size},
                       {"compute_input", duration_json(batch.input)},
                       {"compute_infer", duration_json(batch.infer)},
                       {"compute_output", duration_json(batch.output)}});
  }
  const auto last = std::chrono::duration_cast<std::chrono::milliseconds>(model.last.time_since_epoch()).count();
  return {{"name", model.name},
          {"version", std::to_string(model.version)},
          {"last_inference", last},
          {"inference_count", model.inferences},
          {"execution_count", model.executions},
          {"inference_stats",
           {{"success", duration_json(model.success)},
            {"fail", duration_json(model.failure)},
            {"queue", duration_json(model.queue)},
            {"compute_input", duration_json(model.input)},
            {"compute_infer", duration_json(model.infer)},
            {"compute_output", duration_json(model.output)},
            {"cache_hit", duration_json({})},
            {"cache_miss", duration_json({})}}},
          {"batch_stats", std::move(batches)}};
}

}  // namespace

OpenInferenceRest::OpenInferenceRest(const OpenInference& core, OpenInferenceServer server)
    : core_(core), server_(std::move(server)) {}

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
  std::vector<std::string_view> extensions = server_extensions(server_);
  extensions.insert(extensions.begin(), "binary_tensor_data");
  reply.send_json({{"name", kServerName}, {"version", server_.version}, {"extensions", json::Value(extensions)}});
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
    TRY(const auto all, core_.statistics(named.model, named.version));
    json::Value rows = json::Value::array();
    for (const auto& model : all) rows.push_back(statistics_json(model));
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
  set_urgency(asked.request, request.received, urgency, asked.parameters);
  return {};
}

void OpenInferenceRest::infer(Reply reply) {
  const auto call = std::make_shared<Call>(std::move(reply));
  const auto most = server_.limits.timeout;
  if (call->reply.request().body.size() <= server_.limits.inline_bytes) {
    if (call->read(most)) core_.infer(std::move(call->asked.request), answer_to(call));
    return;
  }
  const auto later = core_.run_later([this, call, most] {
    if (call->read(most)) core_.infer_here(std::move(call->asked.request), answer_to(call));
  });
  if (!later) call->reply.fail(later.error(), Blame::Service);
}

InferDone OpenInferenceRest::answer_to(const std::shared_ptr<Call>& call) {
  return [call](InferResult result) {
    if (!result) return call->reply.fail(result.error());
    call->reply.send(format_inference(*result, call->asked));
  };
}

void OpenInferenceRest::repository_index(Reply reply) const {
  const auto list = [&]() -> Result<json::Value> {
    TRY(const auto body, json_body(reply.request()));
    TRY(const bool ready_only, json::get_or<bool>(body, "ready", false));
    TRY(const auto listed, repository_rows(*server_.hosting, ready_only));
    json::Value rows = json::Value::array();
    for (const auto& entry : listed) {
      json::Value row{{"name", entry.name}, {"version", entry.version}, {"state", entry.state}};
      if (!entry.reason.empty()) row["reason"] = entry.reason;
      rows.push_back(std::move(row));
    }
    return rows;
  };
  send(reply, list());
}

namespace {

Result<std::optional<int>> version_to_change(const http::Request& request) {
  TRY(const auto body, json_body(request));
  TRY(const auto parameters, json::get_or<json::Value>(body, "parameters", json::Value::object()));
  if (!parameters.is_object())
    return fail(ErrorCode::InvalidArgument, "'parameters' is {}, not an object", parameters.type_name());
  return serve::version_to_change(parameters);
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
