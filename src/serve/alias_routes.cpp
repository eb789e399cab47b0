// SPDX-License-Identifier: Apache-2.0
// /v1/models/{name}/aliases: the names that versions go by. docs/api/models.md
#include "serve/alias_messages.hpp"
#include "serve/api.hpp"
#include "serve/parameters.hpp"

namespace imago::serve {
namespace {

using registry::AliasChange;
using registry::ModelVersion;

constexpr int kPreconditionFailed = 412;

/// An alias is what it points to.
std::string etag_of(int version) { return fmt::format("\"{}\"", version); }

/// What If-Match or If-None-Match say the alias must point to now: 0 for nothing, none for anything.
Result<std::optional<int>> condition_of(const http::Request& request) {
  const auto none_match = request.header("If-None-Match");
  if (none_match == "*") return 0;
  if (!none_match.empty())
    return fail(ErrorCode::InvalidArgument, "If-None-Match can be * here: only where there is no such alias yet");
  std::string_view match = request.header("If-Match");
  if (match.empty() || match == "*") return std::optional<int>();
  if (match.size() < 2 || !match.starts_with('"') || !match.ends_with('"'))
    return fail(ErrorCode::InvalidArgument, "If-Match is no ETag in quotes");
  match = match.substr(1, match.size() - 2);
  TRY(const auto version, version_number(match));
  return version;
}

Result<json::Value> list_aliases(const Api& api, const std::string& name) {
  TRY(const auto versions, api.backend.models->list(name));
  TRY_VOID(registry::check_model_name(name));
  if (versions.empty()) {
    TRY_VOID(api.backend.models->resolve(name));  // says what there is
  }
  json::Value rows = json::Value::array();
  for (const auto& version : versions)
    for (const auto& alias : version.aliases) rows.push_back({{"alias", alias}, {"version", version.version}});
  return json::Value{{"name", name}, {"aliases", std::move(rows)}};
}

void send_alias(Reply& reply, const json::Value& value, int version) {
  reply.add_header("ETag", etag_of(version));
  reply.send_json(value);
}

void show_alias(const Api& api, Reply reply) {
  const auto& captures = reply.request().captures;
  const auto& alias = captures.at("alias");
  const auto checked = registry::check_alias(alias);
  if (!checked) return reply.fail(checked.error(), Blame::Request);
  const auto version = api.backend.models->resolve(captures.at("name") + "@" + alias);
  if (!version) return reply.fail(version.error(), Blame::Request);
  send_alias(reply, {{"name", version->model}, {"alias", alias}, {"version", version->version}}, version->version);
}

/// A condition that does not hold is a 412.
void send_change(Reply& reply, const Result<AliasChange>& change) {
  if (!change && change.error().code == ErrorCode::AlreadyExists)
    return reply.fail(kPreconditionFailed, change.error());
  if (!change) return reply.fail(change.error(), Blame::Request);
  if (change->version == 0) return reply.send_json(to_json(*change));
  send_alias(reply, to_json(*change), change->version);
}

Result<AliasChange> set_alias(const Api& api, const http::Request& request) {
  TRY(const auto only_from, condition_of(request));
  TRY(const auto body, json_body(request));
  TRY(const auto version, json::get<int>(body, "version"));
  TRY(const auto reason, reason_in(body, "set over HTTP"));
  return api.backend.models->set_alias(request.captures.at("name"), request.captures.at("alias"), version, reason,
                                       only_from);
}

Result<AliasChange> remove(const Api& api, const http::Request& request) {
  TRY(const auto only_from, condition_of(request));
  return api.backend.models->remove_alias(request.captures.at("name"), request.captures.at("alias"),
                                          "taken away over HTTP", only_from);
}

}  // namespace

void add_alias_routes(RouteList& routes, const Api& api) {
  if (api.backend.models == nullptr) return;
  const std::string aliases = "/v1/models/{name}/aliases", alias = aliases + "/{alias}";
  routes.add_blocking("GET", aliases, Scope::Predict, [api](Reply reply) {
    const auto value = list_aliases(api, reply.request().captures.at("name"));
    if (!value) return reply.fail(value.error(), Blame::Request);
    reply.send_json(*value);
  });
  routes.add_blocking("GET", alias, Scope::Predict, [api](Reply reply) { show_alias(api, std::move(reply)); });
  routes.add_blocking("PUT", alias, Scope::Admin,
                      [api](Reply reply) { send_change(reply, set_alias(api, reply.request())); });
  routes.add_blocking("DELETE", alias, Scope::Admin,
                      [api](Reply reply) { send_change(reply, remove(api, reply.request())); });
}

}  // namespace imago::serve
