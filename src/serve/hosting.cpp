// SPDX-License-Identifier: Apache-2.0
#include "serve/hosting.hpp"

#include <algorithm>
#include <set>

#include "base/log.hpp"

namespace imago::serve {
namespace {

using registry::ModelVersion;

constexpr const char* kLoading = "loading";

std::string identity(const SelectedVersions& selected, const infer::BatcherOptions& batching) {
  std::string text = fmt::format("{} {}", selected.default_version, json::dump(to_json(batching)));
  for (const auto& version : selected.versions)
    text += fmt::format(" {}:{}/{}", version.version, version.digest, version.abstention_change);
  return text;
}

/// The same package under the same abstention policy, batched in the same way.
bool is_version(const LiveModel& model, const ModelVersion& version, const infer::BatcherOptions& batching) {
  const ModelFace& face = *model.face();
  return face.status["digest"] == version.digest && face.abstention_change == version.abstention_change &&
         face.batching == batching;
}

}  // namespace

Result<void> Hosting::host(const std::vector<HostedModel>& models, Origin origin,
                           const std::vector<HostedModel>& remembered) {
  const std::scoped_lock lock(changing_);
  auto hosted = host_together(models, origin, remembered);
  if (!hosted) {
    const std::scoped_lock states(mutex_);
    std::erase_if(unfinished_, [](const auto& item) { return item.second.state == kLoading; });
  }
  return hosted;
}

Result<void> Hosting::host_together(const std::vector<HostedModel>& models, Origin origin,
                                    const std::vector<HostedModel>& remembered) {
  std::set<std::string> names;
  for (const auto& [policy, changes, is_main] : models) {
    if (!names.insert(policy.model).second)
      return fail(ErrorCode::InvalidArgument, "{} is named twice: name its versions together, as {}@1,2", policy.model,
                  policy.model);
  }
  std::vector<std::pair<Hosted, Loaded>> fresh;
  for (const auto& [policy, changes, is_main] : models) {
    Hosted hosted{.policy = policy, .changes = changes, .origin = origin};
    TRY(auto loaded, prepare(hosted));
    fresh.emplace_back(std::move(hosted), std::move(*loaded));
  }
  for (const auto& [policy, changes, is_main] : remembered) {
    if (names.contains(policy.model)) continue;
    Hosted hosted{.policy = policy, .changes = changes, .origin = Origin::Found};
    auto loaded = prepare(hosted);
    if (loaded) fresh.emplace_back(std::move(hosted), std::move(**loaded));
    if (!loaded) log::error("{} is not loaded as before: {}", policy.model, loaded.error().message);
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
  TRY(const auto batching, batching(name));
  const std::string wanted = identity(selected, batching);
  if (wanted == hosted.tried) return std::optional<Loaded>();
  hosted.tried = wanted;
  const auto before = pool_.loaded(name);
  // The default first: where it fails nothing else is worth loading.
  const auto is_default = [&](const auto& version) { return version.version == selected.default_version; };
  auto order = selected.versions;
  std::stable_partition(order.begin(), order.end(), is_default);
  ModelPool::Versions versions;
  for (const auto& version : order) {
    auto model = ready_model(version, before, batching);
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
Result<ModelPool::Model> Hosting::ready_model(const ModelVersion& version, const ModelPool::Loaded& loaded,
                                              const infer::BatcherOptions& batching) {
  const auto found = loaded.versions.find(version.version);
  if (found != loaded.versions.end() && is_version(*found->second, version, batching)) return found->second;
  note(version, kLoading);
  auto package = registry_.open(version);
  auto model = package ? load_(*package, version, batching) : Result<ModelPool::Model>(tl::unexpected(package.error()));
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
  Hosted changed{.policy = hosted.policy, .changes = changes, .origin = hosted.origin};
  TRY_VOID(apply(changed));
  hosted = std::move(changed);
  return {};
}

Result<BatchSettings> Hosting::batch_settings(const std::string& name) const {
  TRY_VOID(registry::check_model_name(name));
  TRY_VOID(registry_.resolve(name));
  return read_batch_settings(database_, name);
}

Result<void> Hosting::set_batch_settings(const std::string& name, const BatchSettings& settings) {
  TRY_VOID(batch_settings(name));
  TRY_VOID(write_batch_settings(database_, name, settings));
  follow();
  return {};
}

Result<infer::BatcherOptions> Hosting::batching(const std::string& name) const {
  TRY(const auto settings, read_batch_settings(database_, name));
  return settings.over(batching_);
}

/// Everything hosted that nobody will ask for when the server is started again. A change that is not remembered has
/// been made all the same.
void Hosting::remember() {
  const auto main = pool_.main();
  std::vector<HostedModel> kept;
  for (const auto& [name, hosted] : hosted_) {
    if (hosted.origin == Origin::Told) continue;
    kept.push_back({hosted.policy, hosted.changes, main && main->face()->status["name"] == name});
  }
  if (const auto done = memory_.keep(kept); !done)
    log::error("what is loaded will not be after a restart: {}", done.error().message);
}

Result<void> Hosting::load(const std::string& name, std::optional<int> version) {
  const std::scoped_lock lock(changing_);
  TRY_VOID(load_version(name, version));
  remember();
  return {};
}

Result<void> Hosting::load_version(const std::string& name, std::optional<int> version) {
  TRY(auto policy, parse_version_policy(name));
  if (version) {
    TRY_VOID(registry_.resolve(fmt::format("{}:{}", name, *version)));
  }
  const auto found = hosted_.find(name);
  if (found == hosted_.end()) {
    if (version) policy.reference = fmt::format("{}:{}", name, *version);
    Hosted fresh{.policy = std::move(policy), .changes = {}};
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
    return memory_.forget(name);
  }
  if (*version == loaded.default_version)
    return fail(ErrorCode::AlreadyExists, "{}:{} is the default of its model: make another version the default first",
                name, *version);
  Hosted& hosted = hosted_.at(name);
  VersionChanges changes = hosted.changes;
  changes.added.erase(*version);
  changes.removed.insert(*version);
  TRY_VOID(change(hosted, changes));
  remember();
  return {};
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
  TRY_VOID(pool_.set_main(name));
  remember();
  return {};
}

}  // namespace imago::serve
