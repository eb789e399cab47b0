// SPDX-License-Identifier: Apache-2.0
// Which models there are: named, versioned, aliased. Rows in SQL, packages in models/NAME/VERSION/.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "package/package.hpp"
#include "store/database.hpp"

namespace imago::registry {

struct ModelVersion {
  std::string model;
  int version = 0;  ///< from 1
  std::string digest;
  std::string created;  ///< RFC 3339
  std::string run;      ///< the run that made it; empty for an import
  double test_accuracy = -1.0;  ///< -1: not measured
  std::vector<std::string> aliases;
};

class Registry {
 public:
  Registry(store::Database& database, std::filesystem::path models_folder);

  /// Moves a sealed package from `staged` into the registry as the model's next version, with `aliases` (and "latest") pointing to it, all
  /// or nothing. A crash between rename and commit leaves a folder that the next register_package takes away.
  Result<ModelVersion> register_package(const std::string& model, const std::filesystem::path& staged, const std::string& run,
                                        const std::vector<std::string>& aliases);

  /// All versions, newest first; of one model when `model` is not empty.
  Result<std::vector<ModelVersion>> list(const std::string& model = "");

  /// `reference` is MODEL (its champion, else its newest), MODEL:3, MODEL:champion or MODEL@champion. NotFound lists what there is.
  Result<ModelVersion> resolve(const std::string& reference);
  Result<package::ModelPackage> open(const ModelVersion& version);

  Result<void> set_alias(const std::string& model, const std::string& alias, int version);

 private:
  store::Database& database_;
  std::filesystem::path folder_;
};

}  // namespace imago::registry
