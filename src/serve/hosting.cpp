// SPDX-License-Identifier: Apache-2.0
#include "serve/hosting.hpp"

#include <algorithm>
#include <set>

#include "base/log.hpp"

namespace imago::serve {
namespace {

using registry::ModelVersion;

constexpr const char* kLoading = "loading";

std::string identity(const SelectedVersions& selected) {
  std::string text = std::to_string(selected.default_version);
  for (const auto& version : selected.versions)
    text += fmt::format(" {}:{}/{}", version.version, version.digest, version.abstention_change);
  return text;
}

/// The same package under the same abstention policy.
bool is_version(const LiveModel& model, const ModelVersion& version) {
  const ModelFace& face = *model.face();
  return face.status["digest"] == version.digest && face.abstention_change == version.abstention_change;
}

}  // namespace

Result<void> Hosting::host(const std::vector<VersionPolicy>& policies) {
  const std::scoped_lock lock(changing_);
  auto hosted = host_together(policies);
  if (!hosted) {
    const std::scoped_lock states(mutex_);
    std::erase_if(unfinished_, [](const auto& item) { return item.second.state == kLoading; });
  }
  return hosted;
}

Result<void> Hosting::host_together(const std::vector<VersionPolicy>& policies) {
  std::set<std::string> names;
  for (const auto& policy : policies) {
    if (!names.insert(policy.model).second)
      return fail(ErrorCode::InvalidArgument, "{} is named twice: name its versions together, as {}@1,2", policy.model,
                  policy.model);
  }
  std::vector<std::pair<Hosted, Loaded>> fresh;
  for (const auto& policy : policies) {
    Hosted hosted{.policy = policy, .changes = {}, .tried = {}};
    TRY(auto loaded, prepare(hosted));
    fresh.emplace_back(std::move(hosted), std::move(*loaded));
  }
  for (auto& [hosted, loaded] : fresh) {
    const std::string name = hosted.policy.model;
    publish(name, std::move(loaded));
    hosted_.insert_or_assign(name, std::move(hosted));
  }
  return {};
}

void Hosting::follow() {
  const std::scoped_lock lock(changing_);
  for (auto& [name, hosted] : hosted_) {
    if (const auto followed = apply(hosted); !followed && followed.error().code != ErrorCode::NotFound)
      log::error("{} goes on as it is: {}", name, followed.error().message);
  }
}

/// Nothing when it was tried already. Of several versions one that does not load is left out; without the default it is
/// an error.
Result<std::optional<Hosting::Loaded>> Hosting::prepare(Hosted& hosted) {
  const std::string& name = hosted.policy.model;
  TRY(auto selected, select_versions(hosted.policy, hosted.changes, registry_));
  const std::string wanted = identity(selected);
  if (wanted == hosted.tried) return std::optional<Loaded>();
  hosted.tried = wanted;
  const auto before = pool_.loaded(name);
  // The default first: where it fails nothing else is worth loading.
  const auto is_default = [&](const auto& version) { return version.version == selected.default_version; };
  auto order = selected.versions;
  std::stable_partition(order.begin(), order.end(), is_default);
  ModelPool::Versions versions;
  for (const auto& version : order) {
    auto model = ready_model(version, before);
    if (model) {
      versions.emplace(version.version, std::move(*model));
    } else if (is_default(version)) {
      return pass(model);
    } else {
      log::error("{}:{} is not served: {}", name, version.version, model.error().message);
    }
  }
  return std::optional(Loaded{std::move(selected), std::move(versions)});
}

/// As one change of the pool.
void Hosting::publish(const std::string& name, Loaded loaded) {
  const auto failed = [&](int number) {
    const auto& selected = loaded.selected.versions;
    return !loaded.versions.contains(number) &&
           std::ranges::find(selected, number, &ModelVersion::version) != selected.end();
  };
  {
    const std::scoped_lock lock(mutex_);
    std::erase_if(known_, [&](const auto& item) { return item.first.first == name; });
    for (const auto& version : loaded.selected.versions)
      if (loaded.versions.contains(version.version)) known_.emplace(Key(name, version.version), version);
    std::erase_if(unfinished_,
                  [&](const auto& item) { return item.first.first == name && !failed(item.first.second); });
  }
  pool_.set(name, std::move(loaded.versions), loaded.selected.default_version);
}

Result<void> Hosting::apply(Hosted& hosted) {
  TRY(auto loaded, prepare(hosted));
  if (loaded) publish(hosted.policy.model, std::move(*loaded));
  return {};
}

/// The one that is loaded already, if it is the same.
Result<ModelPool::Model> Hosting::ready_model(const ModelVersion& version, const ModelPool::Loaded& loaded) {
  const auto found = loaded.versions.find(version.version);
  if (found != loaded.versions.end() && is_version(*found->second, version)) return found->second;
  note(version, kLoading);
  auto package = registry_.open(version);
  auto model = package ? load_(*package, version) : Result<ModelPool::Model>(tl::unexpected(package.error()));
  if (!model) note(version, "failed", model.error().message);
  return model;
}

void Hosting::note(const ModelVersion& version, std::string state, std::string reason) {
  const std::scoped_lock lock(mutex_);
  unfinished_[{version.model, version.version}] = {
      .name = version.model, .version = version.version, .state = std::move(state), .reason = std::move(reason)};
}

/// Tries the changes; where they fail, those before stay.
Result<void> Hosting::change(Hosted& hosted, const VersionChanges& changes) {
  Hosted changed{.policy = hosted.policy, .changes = changes, .tried = {}};
  TRY_VOID(apply(changed));
  hosted = std::move(changed);
  return {};
}

Result<void> Hosting::load(const std::string& name, std::optional<int> version) {
  const std::scoped_lock lock(changing_);
  TRY(auto policy, parse_version_policy(name));
  if (version) {
    TRY_VOID(registry_.resolve(fmt::format("{}:{}", name, *version)));
  }
  const auto found = hosted_.find(name);
  if (found == hosted_.end()) {
    if (version) policy.reference = fmt::format("{}:{}", name, *version);
    Hosted fresh{.policy = std::move(policy), .changes = {}, .tried = {}};
    TRY_VOID(apply(fresh));
    hosted_.emplace(name, std::move(fresh));
    return {};
  }
  VersionChanges changes = found->second.changes;
  if (version) {
    changes.added.insert(*version);
    changes.removed.erase(*version);
  } else {
    changes.removed.clear();
  }
  TRY_VOID(change(found->second, changes));
  if (version && !pool_.find(name, version)) {  // it was left out
    found->second.changes.added.erase(*version);
    const std::scoped_lock states(mutex_);
    const auto failed = unfinished_.find({name, *version});
    return fail(ErrorCode::Corrupt, "{}:{} is not served: {}", name, *version,
                failed == unfinished_.end() ? "it did not load" : failed->second.reason);
  }
  return {};
}

Result<void> Hosting::unload(const std::string& name, std::optional<int> version) {
  const std::scoped_lock lock(changing_);
  TRY_VOID(pool_.find(name, version));
  const auto loaded = pool_.loaded(name);
  const bool all = !version || loaded.versions.size() == 1;
  if (all && loaded.is_main)
    return fail(ErrorCode::AlreadyExists, "{} answers /predict: make another model the default first", name);
  if (all) {
    hosted_.erase(name);
    {
      const std::scoped_lock states(mutex_);
      const auto of_model = [&](const auto& item) { return item.first.first == name; };
      std::erase_if(unfinished_, of_model);
      std::erase_if(known_, of_model);
    }
    pool_.set(name, {}, 0);
    return {};
  }
  if (*version == loaded.default_version)
    return fail(ErrorCode::AlreadyExists, "{}:{} is the default of its model: make another version the default first",
                name, *version);
  Hosted& hosted = hosted_.at(name);
  VersionChanges changes = hosted.changes;
  changes.added.erase(*version);
  changes.removed.insert(*version);
  return change(hosted, changes);
}

Result<void> Hosting::set_default(const std::string& name, std::optional<int> version) {
  const std::scoped_lock lock(changing_);
  TRY_VOID(pool_.find(name, version));
  if (version) {
    Hosted& hosted = hosted_.at(name);
    VersionChanges changes = hosted.changes;
    changes.default_version = version;
    changes.added.insert(*version);  // also when the policy lets go of it
    TRY_VOID(change(hosted, changes));
  }
  return pool_.set_main(name);
}

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
