// SPDX-License-Identifier: Apache-2.0
// /v1/models: what is registered, and which version an alias stands for. docs/api/models.md
#include <algorithm>
#include <map>

#include "package/describe.hpp"
#include "serve/alias_messages.hpp"
#include "serve/api.hpp"
#include "serve/parameters.hpp"

namespace imago::serve {
namespace {

using registry::ModelVersion;

constexpr int kMostRows = 1000;

json::Value version_json(const ModelVersion& version) {
  return {{"version", version.version},
          {"created", version.created},
          {"test_accuracy", version.test_accuracy < 0 ? json::Value() : json::Value(version.test_accuracy)},
          {"aliases", version.aliases},
          {"run", version.run},
          {"digest", version.digest},
          {"abstention", version.abstention.empty() ? json::Value() : model::to_json(version.abstention)}};
}

json::Value holder_of(const std::vector<ModelVersion>& versions, std::string_view alias) {
  for (const auto& version : versions)
    if (std::find(version.aliases.begin(), version.aliases.end(), alias) != version.aliases.end())
      return version.version;
  return nullptr;
}

/// `versions` of one model, newest first.
json::Value model_json(const std::vector<ModelVersion>& versions) {
  json::Value rows = json::Value::array();
  for (const auto& version : versions) rows.push_back(version_json(version));
  return {{"name", versions.front().model},
          {"champion", holder_of(versions, "champion")},
          {"latest", holder_of(versions, "latest")},
          {"versions", std::move(rows)}};
}

json::Value serving_json(const Api& api) {
  const auto live = api.current ? api.current() : nullptr;
  if (!live) return nullptr;
  const json::Value& status = live->face()->status;
  return {{"name", status.value("name", "")}, {"version", status.value("version", 0)}};
}

/// What the server holds, ready or not.
json::Value loaded_json(const Api& api) {
  json::Value rows = json::Value::array();
  if (api.hosting == nullptr) return rows;
  for (const auto& state : api.hosting->states()) rows.push_back(to_json(state));
  return rows;
}

/// By name, the versions of each newest first.
std::vector<std::vector<ModelVersion>> by_model(std::vector<ModelVersion> versions) {
  std::map<std::string, std::vector<ModelVersion>> models;
  std::ranges::sort(versions, std::ranges::greater{}, &ModelVersion::version);
  for (auto& version : versions) models[version.model].push_back(std::move(version));
  std::vector<std::vector<ModelVersion>> rows;
  for (auto& [name, its_versions] : models) rows.push_back(std::move(its_versions));
  return rows;
}

Result<json::Value> list_models(const Api& api, const http::Request& request) {
  TRY(const auto page, page_in(request, kMostRows, kMostRows));
  TRY(auto versions, api.backend.models->list());
  auto models = by_model(std::move(versions));
  const auto next = take_page(models, page);
  json::Value rows = json::Value::array();
  for (const auto& model : models) rows.push_back(model_json(model));
  return json::Value{
      {"models", std::move(rows)}, {"next_offset", next}, {"serving", serving_json(api)}, {"loaded", loaded_json(api)}};
}

Result<json::Value> list_versions(const Api& api, const http::Request& request) {
  TRY(const auto page, page_in(request, kMostRows, kMostRows));
  TRY(const auto found, api.backend.models->resolve(request.captures.at("name")));
  TRY(auto versions, api.backend.models->list(found.model));
  const auto next = take_page(versions, page);
  json::Value rows = json::Value::array();
  for (const auto& version : versions) rows.push_back(version_json(version));
  return json::Value{{"name", found.model}, {"versions", std::move(rows)}, {"next_offset", next}};
}

Result<json::Value> show_model(const Api& api, const std::string& name) {
  TRY(const auto found, api.backend.models->resolve(name));
  TRY(const auto versions, api.backend.models->list(found.model));
  return model_json(versions);
}

Result<json::Value> show_version(const Api& api, const std::string& name, const std::string& which) {
  TRY(const auto version, api.backend.models->resolve(name + ":" + which));
  TRY(const auto package, api.backend.models->open(version));
  TRY(const auto described, package::describe(package));
  json::Value value{{"name", version.model}};
  value.update(version_json(version));
  value.update(described);
  return value;
}

Result<json::Value> show_history(const Api& api, const std::string& name, std::string alias) {
  if (alias.empty()) alias = "champion";
  TRY_VOID(registry::check_alias(alias));
  TRY(const auto found, api.backend.models->resolve(name));
  TRY(const auto moves, api.backend.models->alias_history(found.model, alias));
  json::Value rows = json::Value::array();
  for (const auto& move : moves)
    rows.push_back({{"version", move.version == 0 ? json::Value() : json::Value(move.version)},
                    {"time", move.time},
                    {"reason", move.reason}});
  return json::Value{{"name", found.model}, {"alias", alias}, {"moves", std::move(rows)}};
}

struct Move {
  std::string alias;
  std::string reason;
};

Result<Move> move_of(const json::Value& body) {
  Move move;
  TRY(move.alias, json::get_or<std::string>(body, "alias", "champion"));
  TRY(move.reason, reason_in(body, ""));
  TRY_VOID(registry::check_alias(move.alias));
  return move;
}

Result<json::Value> promote(const Api& api, const http::Request& request) {
  TRY(const auto body, json_body(request));
  TRY(const auto move, move_of(body));
  TRY(const auto version, json::get<int>(body, "version"));
  TRY(const auto change, api.backend.models->set_alias(request.captures.at("name"), move.alias, version,
                                                       move.reason.empty() ? "promoted over HTTP" : move.reason));
  return to_json(change);
}

/// 409 when the alias has nowhere to go back to; what the request itself may have wrong is seen before.
void roll_back(const Api& api, Reply& reply) {
  const http::Request& request = reply.request();
  const std::string& name = request.captures.at("name");
  const auto checked = registry::check_model_name(name);
  const auto body = json_body(request);
  const auto move = body ? move_of(*body) : Result<Move>(tl::unexpected(body.error()));
  if (!checked || !move) return reply.fail(checked ? move.error() : checked.error(), Blame::Request);
  const auto change = api.backend.models->roll_back(name, move->alias, move->reason);
  if (change) return reply.send_json(to_json(*change));
  if (change.error().code == ErrorCode::InvalidArgument) return reply.fail(409, change.error());
  reply.fail(change.error(), Blame::Request);
}

}  // namespace

void add_model_routes(RouteList& routes, const Api& api) {
  if (api.backend.models == nullptr) return;
  routes.add_blocking("GET", "/v1/models", Scope::Predict,
                      [api](Reply reply) { reply.send_result(list_models(api, reply.request())); });
  routes.add_blocking("GET", "/v1/models/{name}", Scope::Predict,
                      [api](Reply reply) { reply.send_result(show_model(api, reply.request().captures.at("name"))); });
  routes.add_blocking("GET", "/v1/models/{name}/versions", Scope::Predict,
                      [api](Reply reply) { reply.send_result(list_versions(api, reply.request())); });
  routes.add_blocking("GET", "/v1/models/{name}/versions/{version}", Scope::Predict, [api](Reply reply) {
    const auto& captures = reply.request().captures;
    reply.send_result(show_version(api, captures.at("name"), captures.at("version")));
  });
  routes.add_blocking("GET", "/v1/models/{name}/history", Scope::Predict, [api](Reply reply) {
    const auto& request = reply.request();
    reply.send_result(show_history(api, request.captures.at("name"), std::string(request.parameter("alias"))));
  });
  routes.add_blocking("POST", "/v1/models/{name}/promote", Scope::Admin,
                      [api](Reply reply) { reply.send_result(promote(api, reply.request())); });
  routes.add_blocking("POST", "/v1/models/{name}/rollback", Scope::Admin,
                      [api](Reply reply) { roll_back(api, reply); });
}

}  // namespace imago::serve
