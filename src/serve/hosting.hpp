// SPDX-License-Identifier: Apache-2.0
// Which models the server holds, and that they follow the registry: what is asked for by policy or at run time is
// loaded into the pool, whole and warm, before anybody sees it. docs/api/models.md
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "json/json.hpp"
#include "registry/registry.hpp"
#include "serve/model_pool.hpp"
#include "serve/version_policy.hpp"

namespace imago::serve {

/// Safe from any thread; loads one model at a time. What does not load is logged and not tried again until the registry
/// says something else or somebody asks for it; what was served before goes on being served.
class Hosting {
 public:
  using Load =
      std::function<Result<ModelPool::Model>(const package::ModelPackage&, const registry::ModelVersion& version)>;

  /// `load` compiles and self-tests a package. Both others outlive this.
  Hosting(registry::Registry& registry, ModelPool& pool, Load load)
      : registry_(registry), pool_(pool), load_(std::move(load)) {}

  /// Loads what the policies select now, and keeps to them from here on; the models are seen together, once all are
  /// ready. A model that was hosted before is hosted by its new policy. InvalidArgument when one is named twice.
  Result<void> host(const std::vector<VersionPolicy>& policies);
  /// Looks whether the registry selects other versions by now: about once a second.
  void follow();

  /// A model that is not hosted yet is hosted by its champion; with a version, that one is held beside what the policy
  /// selects. For a hosted model and no version: looks again, also at what failed before or was taken away.
  Result<void> load(const std::string& name, std::optional<int> version);
  /// Takes a version, or the whole model, away until somebody loads it again. AlreadyExists for what answers /predict:
  /// that is to be replaced, not taken away.
  Result<void> unload(const std::string& name, std::optional<int> version);
  /// Makes the model the one that answers /predict; with a version, a loaded one, that one is its default from now on,
  /// whatever its aliases say.
  Result<void> set_default(const std::string& name, std::optional<int> version);

  /// The version that answers /predict, as the registry has it.
  [[nodiscard]] std::optional<registry::ModelVersion> serving() const;

  struct State {
    std::string name;
    int version = 0;
    std::string state;   ///< "loading", "ready" or "failed"; see repository
    std::string reason;  ///< of a failure
    bool is_default = false;
    bool is_main = false;  ///< answers /predict
  };
  /// Everything hosted, by name and version.
  [[nodiscard]] std::vector<State> states() const;
  /// Everything registered; what is not hosted has the state "not loaded".
  [[nodiscard]] Result<std::vector<State>> repository() const;

 private:
  struct Hosted {
    VersionPolicy policy;
    VersionChanges changes;
    std::string tried;  ///< what the last load was of
  };
  using Key = std::pair<std::string, int>;

  /// What is selected and loaded, but not seen yet.
  struct Loaded {
    SelectedVersions selected;
    ModelPool::Versions versions;
  };

  Result<void> host_together(const std::vector<VersionPolicy>& policies);
  Result<std::optional<Loaded>> prepare(Hosted& hosted);
  void publish(const std::string& name, Loaded loaded);
  Result<void> apply(Hosted& hosted);
  Result<void> change(Hosted& hosted, const VersionChanges& changes);
  Result<ModelPool::Model> ready_model(const registry::ModelVersion& version, const ModelPool::Loaded& loaded);
  void note(const registry::ModelVersion& version, std::string state, std::string reason = {});

  registry::Registry& registry_;
  ModelPool& pool_;
  const Load load_;

  std::mutex changing_;  // held while something is loaded; guards hosted_
  std::map<std::string, Hosted> hosted_;
  mutable std::mutex mutex_;                     // guards what follows; never held while something is loaded
  std::map<Key, State> unfinished_;              // what is loading or failed
  std::map<Key, registry::ModelVersion> known_;  // what is loaded, as the registry has it
};

/// {"name", "version", "state", "reason", "default", "serving"}; `reason` is null but for a failure.
json::Value to_json(const Hosting::State& state);

}  // namespace imago::serve
