// SPDX-License-Identifier: Apache-2.0
// What a Hosting shows of itself.
#include <algorithm>

#include "serve/hosting.hpp"

namespace imago::serve {

using registry::ModelVersion;

std::optional<ModelVersion> Hosting::serving() const {
  const auto main = pool_.main();
  if (!main) return std::nullopt;
  const auto& status = main->face()->status;
  const std::scoped_lock lock(mutex_);
  const auto found = known_.find({status["name"].get<std::string>(), status["version"].get<int>()});
  return found == known_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<Hosting::State> Hosting::states() const {
  std::vector<State> all;
  for (const auto& loaded : pool_.list()) {
    for (const auto& [number, model] : loaded.versions) {
      const bool is_default = number == loaded.default_version;
      all.push_back({loaded.name, number, "ready", {}, is_default, is_default && loaded.is_main});
    }
  }
  const std::scoped_lock lock(mutex_);
  for (const auto& item : unfinished_) {
    const auto same = [&](const State& other) { return Key(other.name, other.version) == item.first; };
    if (std::ranges::none_of(all, same)) all.push_back(item.second);
  }
  std::ranges::sort(all, {}, [](const State& state) { return Key(state.name, state.version); });
  return all;
}

Result<std::vector<Hosting::State>> Hosting::repository() const {
  TRY(const auto versions, registry_.list());
  auto all = states();
  for (const auto& version : versions) {
    const auto same = [&](const State& state) {
      return state.name == version.model && state.version == version.version;
    };
    if (std::ranges::none_of(all, same))
      all.push_back({.name = version.model, .version = version.version, .state = "not loaded", .reason = {}});
  }
  std::ranges::sort(all, {}, [](const State& state) { return Key(state.name, state.version); });
  return all;
}

json::Value to_json(const Hosting::State& state) {
  return {{"name", state.name},          {"version", state.version},
          {"state", state.state},        {"reason", state.reason.empty() ? json::Value() : json::Value(state.reason)},
          {"default", state.is_default}, {"serving", state.is_main}};
}

}  // namespace imago::serve
