// SPDX-License-Identifier: Apache-2.0
// Which models there are: named, versioned, aliased. Rows in SQL, packages in models/NAME/VERSION/.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "model/abstention.hpp"
#include "package/package.hpp"
#include "store/database.hpp"

namespace imago::registry {

struct ModelVersion {
  std::string model;
  int version = 0;  ///< from 1
  std::string digest;
  std::string created;          ///< RFC 3339
  std::string run;              ///< the run that made it; empty for an import
  double test_accuracy = -1.0;  ///< -1: not measured
  std::vector<std::string> aliases;
  model::AbstentionPolicy abstention{};  ///< when it says that it does not know; empty: never
  int abstention_change = 0;             ///< how often that was set
};

/// One setting of a version's abstention policy, kept for ever.
struct AbstentionChange {
  model::AbstentionPolicy policy;
  std::string time;  ///< RFC 3339
  std::string reason;
};

/// One move of an alias, kept for ever: what a rollback goes back through.
struct AliasMove {
  int version = 0;   ///< 0: it was taken away
  std::string time;  ///< RFC 3339
  std::string reason;
};

/// What a promotion or a rollback did.
struct AliasChange {
  std::string model;
  std::string alias;
  int version = 0;              ///< that the alias points to now; 0: it was taken away
  std::optional<int> previous;  ///< that it pointed to before; none when it was new
};

/// Names of models and aliases: 1 to 64 of a-z, 0-9, '.', '_', '-', the first a letter or digit; an alias is not a
/// number.
Result<void> check_model_name(std::string_view name);
Result<void> check_alias(std::string_view alias);

/// Safe from any thread; several processes may share one database and folder.
class Registry {
 public:
  Registry(store::Database& database, std::filesystem::path models_folder);

  /// Moves a sealed package from `staged` into the registry as the model's next version, with `aliases` (and "latest")
  /// pointing to it, all or nothing; on an error `staged` is where it was. `staged` must lie on the same file system. A
  /// crash between rename and commit leaves a folder that the next register_package takes away. Errors of open_package;
  /// InvalidArgument for a name that cannot be one.
  Result<ModelVersion> register_package(const std::string& model, const std::filesystem::path& staged,
                                        const std::string& run, const std::vector<std::string>& aliases,
                                        const std::string& reason = "registered");

  /// All versions, newest first; of one model when `model` is not empty.
  Result<std::vector<ModelVersion>> list(const std::string& model = "");

  /// `reference` is MODEL (its champion, else its newest), MODEL:3, MODEL:champion or MODEL@champion. NotFound lists
  /// what there is.
  Result<ModelVersion> resolve(const std::string& reference);
  /// The package, verified, and the one that was registered: Corrupt when its digest is another.
  Result<package::ModelPackage> open(const ModelVersion& version);

  /// Points the alias to a version. When it points there already, nothing is written. NotFound when there is no such
  /// version.
  /// @param only_from  what it must point to now, 0 for nothing; else AlreadyExists, and nothing is changed.
  Result<AliasChange> set_alias(const std::string& model, const std::string& alias, int version,
                                const std::string& reason = "set by hand", std::optional<int> only_from = std::nullopt);
  /// Takes the alias away; a rollback does not lead back across that. NotFound when there is none; InvalidArgument for
  /// champion and latest, by which models are found; `only_from` as above.
  Result<AliasChange> remove_alias(const std::string& model, const std::string& alias,
                                   const std::string& reason = "taken away by hand",
                                   std::optional<int> only_from = std::nullopt);
  /// Takes back the alias's last move that was not taken back yet, so that repeating it goes further back and never to
  /// and fro: after promotions of 1, 2, 3 it leads to 2, then to 1. A promotion after that starts from there: 1, 2,
  /// 3, back, 4, back leads to 2. The reason in the history becomes "rolled back from 3", or that and ": `reason`".
  /// NotFound when there is no such model or alias; InvalidArgument when there is nothing before.
  Result<AliasChange> roll_back(const std::string& model, const std::string& alias, const std::string& reason = "");
  /// From here on the version answers under this policy; an empty one lifts it. The version as it is now.
  /// InvalidArgument when the policy does not fit the package's classes. Errors of open.
  Result<ModelVersion> set_abstention(const ModelVersion& version, const model::AbstentionPolicy& policy,
                                      const std::string& reason = "set by hand");
  /// Newest first.
  Result<std::vector<AbstentionChange>> abstention_history(const std::string& model, int version);

  /// Newest first.
  Result<std::vector<AliasMove>> alias_history(const std::string& model, const std::string& alias);

 private:
  [[nodiscard]] std::filesystem::path folder_of(const std::string& model, int version) const;

  store::Database& database_;
  std::filesystem::path folder_;
};

}  // namespace imago::registry
