// SPDX-License-Identifier: Apache-2.0
// Predictions by a model that is named, and which models the server holds. docs/api/models.md
#include "serve/api.hpp"
#include "serve/parameters.hpp"

namespace imago::serve {
namespace {

constexpr int kMostVersions = 1'000'000'000;

/// `version` of the query, else of the body: a number, or absent.
Result<std::optional<int>> version_asked_for(const http::Request& request) {
  TRY(const int in_query, number_in_query(request, "version", 0, 1, kMostVersions));
  TRY(const auto body, json_body(request));
  TRY(const int in_body, json::get_or<int>(body, "version", 0));
  if (in_body < 1 && body.contains("version") && !body["version"].is_null())
    return fail(ErrorCode::InvalidArgument, "'version' is {}, not a version number", in_body);
  if (in_query > 0) return in_query;
  return in_body > 0 ? std::optional(in_body) : std::nullopt;
}

void answer_with_states(const Hosting& hosting, const std::string& name, Reply& reply) {
  json::Value rows = json::Value::array();
  for (const auto& state : hosting.states())
    if (state.name == name) rows.push_back(to_json(state));
  reply.send_json({{"name", name}, {"loaded", std::move(rows)}});
}

using Change = Result<void> (Hosting::*)(const std::string& name, std::optional<int> version);

void add_change(RouteList& routes, Hosting& hosting, const std::string& verb, Change change) {
  routes.add_blocking("POST", "/v1/models/{name}/" + verb, Scope::Admin, [&hosting, change](Reply reply) {
    const std::string name = reply.request().captures.at("name");
    const auto version = version_asked_for(reply.request());
    if (!version) return reply.fail(version.error(), Blame::Request);
    if (const auto changed = (hosting.*change)(name, *version); !changed)
      return reply.fail(changed.error(), Blame::Request);
    answer_with_states(hosting, name, reply);
  });
}

void answer_with_batching(const Hosting& hosting, const std::string& name, Reply& reply) {
  const auto settings = hosting.batch_settings(name);
  if (!settings) return reply.fail(settings.error(), Blame::Request);
  reply.send_json({{"name", name},
                   {"settings", to_json(*settings)},
                   {"effective", to_json(settings->over(hosting.server_batching()))}});
}

Result<void> set_batching(Hosting& hosting, const http::Request& request) {
  TRY(const auto body, json_body(request));
  TRY(const auto settings, batch_settings_from(body));
  return hosting.set_batch_settings(request.captures.at("name"), settings);
}

using Predict = void (Predictor::*)(const std::shared_ptr<const LiveModel>& model, Reply reply);

void predict_by(const Hosts& hosts, Predict predict, Reply reply) {
  const auto& captures = reply.request().captures;
  std::optional<int> version;
  if (const auto found = captures.find("version"); found != captures.end()) {
    const auto number = version_number(found->second);
    if (!number) return reply.fail(number.error(), Blame::Request);
    version = *number;
  }
  const auto model = hosts.models.find(captures.at("name"), version);
  if (!model) return reply.fail(model.error(), Blame::Request);
  (hosts.predictor.*predict)(*model, std::move(reply));
}

}  // namespace

void add_hosting_routes(RouteList& routes, const Hosts& hosts) {
  const auto predict = [&](const std::string& path, Predict how) {
    for (const char* model : {"/v1/models/{name}", "/v1/models/{name}/versions/{version}"})
      routes.add(
          "POST", model + path, Scope::Predict, [hosts, how](Reply reply) { predict_by(hosts, how, std::move(reply)); },
          true);
  };
  predict("/predict", &Predictor::predict);
  predict("/predict/many", &Predictor::predict_many);
  if (hosts.hosting == nullptr) return;
  add_change(routes, *hosts.hosting, "load", &Hosting::load);
  add_change(routes, *hosts.hosting, "unload", &Hosting::unload);
  add_change(routes, *hosts.hosting, "default", &Hosting::set_default);
  auto& hosting = *hosts.hosting;
  routes.add_blocking("GET", "/v1/models/{name}/batch", Scope::Predict, [&hosting](Reply reply) {
    answer_with_batching(hosting, reply.request().captures.at("name"), reply);
  });
  routes.add_blocking("PUT", "/v1/models/{name}/batch", Scope::Admin, [&hosting](Reply reply) {
    const auto set = set_batching(hosting, reply.request());
    if (!set) return reply.fail(set.error(), Blame::Request);
    answer_with_batching(hosting, reply.request().captures.at("name"), reply);
  });
}

}  // namespace imago::serve
