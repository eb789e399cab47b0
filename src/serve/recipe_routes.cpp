// SPDX-License-Identifier: Apache-2.0
// /v1/recipes: what a training may be asked to follow. docs/api/recipes.md
#include <algorithm>

#include "serve/api.hpp"

namespace imago::serve {
namespace {

/// What one chooses by; the rest is in the recipe itself.
json::Value summary_of(const Recipe& recipe) {
  const auto& settings = recipe.settings;
  const json::Value architecture = settings.value("architecture", json::Value::object());
  json::Value summary{{"name", recipe.name},
                      {"description", settings.value("description", "")},
                      {"architecture", architecture.value("name", recipe.name)}};
  for (const char* key : {"epochs", "max_minutes", "batch_size"}) summary[key] = settings.value(key, json::Value());
  return summary;
}

void list(const Api& api, Reply reply) {
  json::Value rows = json::Value::array();
  for (const auto& recipe : api.backend.recipes) rows.push_back(summary_of(recipe));
  reply.send_json({{"recipes", std::move(rows)}});
}

void show(const Api& api, Reply reply) {
  const auto recipe = find_recipe(api.backend, reply.request().captures.at("name"));
  if (!recipe) return reply.fail(recipe.error(), Blame::Request);
  json::Value whole = (*recipe)->settings;
  whole["name"] = (*recipe)->name;
  reply.send_json(whole);
}

}  // namespace

void add_recipe_routes(RouteList& routes, const Api& api) {
  routes.add("GET", "/v1/recipes", Scope::Predict, [api](Reply reply) { list(api, std::move(reply)); });
  routes.add("GET", "/v1/recipes/{name}", Scope::Predict, [api](Reply reply) { show(api, std::move(reply)); });
}

Result<const Recipe*> find_recipe(const Backend& backend, const std::string& name) {
  const auto found = std::ranges::find(backend.recipes, name, &Recipe::name);
  if (found != backend.recipes.end()) return &*found;
  std::string known;
  for (const auto& recipe : backend.recipes) known += fmt::format("{}{}", known.empty() ? "" : ", ", recipe.name);
  return fail(ErrorCode::NotFound, "no recipe named '{}'; there are: {}", name, known);
}

}  // namespace imago::serve
