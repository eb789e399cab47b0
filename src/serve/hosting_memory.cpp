// SPDX-License-Identifier: Apache-2.0
#include "serve/hosting_memory.hpp"

#include "json/json.hpp"

namespace imago::serve {
namespace {

json::Value changes_json(const VersionChanges& changes) {
  return {{"added", changes.added},
          {"removed", changes.removed},
          {"default", changes.default_version ? json::Value(*changes.default_version) : json::Value()}};
}

Result<VersionChanges> changes_from(const std::string& text) {
  TRY(const auto value, json::parse(text));
  TRY(const auto added, json::get<std::vector<int>>(value, "added"));
  TRY(const auto removed, json::get<std::vector<int>>(value, "removed"));
  TRY(const auto chosen, json::get_or<int>(value, "default", 0));
  VersionChanges changes{.added = {added.begin(), added.end()}, .removed = {removed.begin(), removed.end()}};
  if (chosen > 0) changes.default_version = chosen;
  return changes;
}

Result<void> keep_one(store::Database& database, const HostedModel& model) {
  TRY_VOID(database.execute("DELETE FROM hosted_models WHERE model = :a", {model.policy.model}));
  TRY_VOID(database.execute("INSERT INTO hosted_models (model, policy, changes, is_main) VALUES (:a, :b, :c, :d)",
                            {model.policy.model, model.policy.reference, json::dump(changes_json(model.changes)),
                             std::int64_t{model.is_main}}));
  return {};
}

}  // namespace

Result<std::vector<HostedModel>> HostingMemory::read() const {
  TRY(const auto rows,
      database_.query("SELECT policy, changes, is_main FROM hosted_models ORDER BY is_main DESC, model", {}));
  std::vector<HostedModel> models;
  for (const auto& row : rows) {
    HostedModel model{.policy = {}, .is_main = row.integer("is_main") != 0};
    TRY(model.policy, parse_version_policy(row.text("policy")));
    TRY(model.changes, changes_from(row.text("changes")));
    models.push_back(std::move(model));
  }
  return models;
}

Result<void> HostingMemory::keep(const std::vector<HostedModel>& models) {
  return database_.transaction([&](store::Database& inside) -> Result<void> {
    for (const auto& model : models) {
      if (model.is_main) TRY_VOID(inside.execute("UPDATE hosted_models SET is_main = 0", {}));
    }
    for (const auto& model : models) TRY_VOID(keep_one(inside, model));
    return {};
  });
}

Result<void> HostingMemory::forget(const std::string& model) {
  TRY_VOID(database_.execute("DELETE FROM hosted_models WHERE model = :a", {model}));
  return {};
}

}  // namespace imago::serve
