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
#include "serve/batch_settings.hpp"
#include "serve/hosting_memory.hpp"
#include "serve/model_pool.hpp"
#include "serve/version_policy.hpp"

namespace imago::serve {

/// Safe from any thread; loads one model at a time. What does not load is logged and not tried again until the registry
/// says something else or somebody asks for it; what was served before goes on being served.
class Hosting {
 public:
  using Load = std::function<Result<ModelPool::Model>(
      const package::ModelPackage&, const registry::ModelVersion& version, const infer::BatcherOptions& batching)>;

  /// `load` compiles and self-tests a package. `batching` is that of models that have no settings of their own. All
  /// others outlive this.
  Hosting(registry::Registry& registry, ModelPool& pool, store::Database& database,
          const infer::BatcherOptions& batching, Load load)
      : registry_(registry),
        pool_(pool),
        database_(database),
        memory_(database),
        batching_(batching),
        load_(std::move(load)) {}

  /// What servers on this database were told at run time and have not been told otherwise: the main model, if they were
  /// told one, first.
  [[nodiscard]] Result<std::vector<HostedModel>> remembered() const { return memory_.read(); }

  enum class Origin {
    Told,   ///< by whoever started the server, who will say it again: nothing of it is remembered
    Found,  ///< or remembered: to be there after a restart, once somebody changes what is hosted
  };
  /// Loads what is asked for, and keeps to it from here on; the models are seen together, once all are ready. A model
  /// that was hosted before is hosted by its new policy. InvalidArgument when one is named twice.
  /// @param remembered  to be hosted along, but for those that are asked for; one that does not load is left out.
  Result<void> host(const std::vector<HostedModel>& models, Origin origin,
                    const std::vector<HostedModel>& remembered = {});
  /// Looks whether the registry selects other versions by now, or batches are to be made otherwise: about once a
  /// second.
  void follow();

  // What these three change is remembered, but for models that the server was told to host when it was started.

  /// A model that is not hosted yet is hosted by its champion; with a version, that one is held beside what the policy
  /// selects. For a hosted model and no version: looks again, also at what failed before or was taken away.
  Result<void> load(const std::string& name, std::optional<int> version);
  /// Takes a version, or the whole model, away until somebody loads it again. AlreadyExists for what answers /predict:
  /// that is to be replaced, not taken away.
  Result<void> unload(const std::string& name, std::optional<int> version);
  /// Makes the model the one that answers /predict; with a version, a loaded one, that one is its default from now on,
  /// whatever its aliases say.
  Result<void> set_default(const std::string& name, std::optional<int> version);

  /// What a model has of its own of how its requests are batched. NotFound when it is not registered.
  [[nodiscard]] Result<BatchSettings> batch_settings(const std::string& name) const;
  /// From here on, also for what is loaded: it is loaded anew. NotFound as above, InvalidArgument for bad values.
  Result<void> set_batch_settings(const std::string& name, const BatchSettings& settings);
  /// For what the settings leave open.
  [[nodiscard]] const infer::BatcherOptions& server_batching() const { return batching_; }
  /// Both together.
  [[nodiscard]] Result<infer::BatcherOptions> batching(const std::string& name) const;

  /// As ModelPool::find: the default version.
  [[nodiscard]] Result<ModelPool::Model> find(const std::string& name) const { return pool_.find(name); }
  /// The version that answers /predict, as the registry has it.
  [[nodiscard]] std::optional<registry::ModelVersion> serving() const;

  /// Brings how many images wait to the metrics of each model.
  void publish_queue_depths() const { static_cast<void>(pool_.queued()); }

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
    Origin origin = Origin::Found;
    std::string tried{};  ///< what the last load was of
  };
  using Key = std::pair<std::string, int>;

  /// What is selected and loaded, but not seen yet.
  struct Loaded {
    SelectedVersions selected;
    ModelPool::Versions versions;
  };

  Result<void> host_together(const std::vector<HostedModel>& models, Origin origin,
                             const std::vector<HostedModel>& remembered);
  Result<std::optional<Loaded>> prepare(Hosted& hosted);
  void publish(const std::string& name, Loaded loaded);
  Result<void> apply(Hosted& hosted);
  Result<void> change(Hosted& hosted, const VersionChanges& changes);
  Result<ModelPool::Model> ready_model(const registry::ModelVersion& version, const ModelPool::Loaded& loaded,
                                       const infer::BatcherOptions& batching);
  Result<void> load_version(const std::string& name, std::optional<int> version);
  void remember();
  void note(const registry::ModelVersion& version, std::string state, std::string reason = {});

  registry::Registry& registry_;
  ModelPool& pool_;
  store::Database& database_;
  HostingMemory memory_;
  const infer::BatcherOptions batching_;
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
