// SPDX-License-Identifier: Apache-2.0
// /v1/models/{name}/versions/{version}/abstention: when a version says that it does not know, as `imago models
// threshold` shows and sets it. docs/api/models.md
#include "serve/alias_messages.hpp"
#include "serve/api.hpp"
#include "serve/parameters.hpp"

namespace imago::serve {
namespace {

using registry::ModelVersion;

json::Value policy_json(const model::AbstentionPolicy& policy) {
  return policy.empty() ? json::Value() : model::to_json(policy);
}

Result<ModelVersion> version_in(const Api& api, const http::Request& request) {
  return api.backend.models->resolve(request.captures.at("name") + ":" + request.captures.at("version"));
}

Result<json::Value> describe(const Api& api, const ModelVersion& version) {
  TRY(const auto history, api.backend.models->abstention_history(version.model, version.version));
  json::Value changes = json::Value::array();
  for (const auto& change : history)
    changes.push_back({{"time", change.time}, {"reason", change.reason}, {"abstention", policy_json(change.policy)}});
  return json::Value{{"name", version.model},
                     {"version", version.version},
                     {"abstention", policy_json(version.abstention)},
                     {"changes", std::move(changes)}};
}

Result<json::Value> show(const Api& api, const http::Request& request) {
  TRY(const auto version, version_in(api, request));
  return describe(api, version);
}

Result<json::Value> set_limits(const Api& api, const http::Request& request) {
  TRY(const auto version, version_in(api, request));
  TRY(const auto body, json_body(request));
  TRY(const auto reason, reason_in(body, "set over HTTP"));
  TRY(const auto policy, model::abstention_from_json(body));
  if (!policy.fitted.is_object()) return fail(ErrorCode::InvalidArgument, "'fitted' is no JSON object");
  if (policy.empty())
    return fail(ErrorCode::InvalidArgument,
                "expected 'least_confidence', 'most_energy' or both; DELETE takes the limits away");
  TRY(const auto changed, api.backend.models->set_abstention(version, policy, reason));
  return describe(api, changed);
}

Result<json::Value> lift(const Api& api, const http::Request& request) {
  TRY(const auto version, version_in(api, request));
  if (version.abstention.empty()) return describe(api, version);
  TRY(const auto changed, api.backend.models->set_abstention(version, {}, "switched off over HTTP"));
  return describe(api, changed);
}

}  // namespace

void add_abstention_routes(RouteList& routes, const Api& api) {
  if (api.backend.models == nullptr) return;
  const auto add = [&](const char* method, Scope scope, Result<json::Value> (*make)(const Api&, const http::Request&)) {
    routes.add_blocking(method, "/v1/models/{name}/versions/{version}/abstention", scope, [api, make](Reply reply) {
      const auto value = make(api, reply.request());
      if (value) return reply.send_json(*value);
      const bool ours = value.error().code == ErrorCode::Corrupt && reply.request().method == "GET";
      reply.fail(value.error(), ours ? Blame::Service : Blame::Request);
    });
  };
  add("GET", Scope::Predict, show);
  add("PUT", Scope::Admin, set_limits);
  add("DELETE", Scope::Admin, lift);
}

}  // namespace imago::serve
