// SPDX-License-Identifier: Apache-2.0
// What a server was told at run time to hold, beyond its end: rows in the database.
#pragma once

#include <string>
#include <vector>

#include "serve/version_policy.hpp"
#include "store/database.hpp"

namespace imago::serve {

/// A model and what was asked of it.
struct HostedModel {
  VersionPolicy policy;
  VersionChanges changes{};
  bool is_main = false;  ///< answers /predict
};

/// Safe from any thread; `database` outlives it.
class HostingMemory {
 public:
  explicit HostingMemory(store::Database& database) : database_(database) {}

  /// The main one, if any, first; then by name.
  Result<std::vector<HostedModel>> read() const;
  /// In place of what was kept of the same models; one that is main is it from here on, alone.
  Result<void> keep(const std::vector<HostedModel>& models);
  Result<void> forget(const std::string& model);

 private:
  store::Database& database_;
};

}  // namespace imago::serve
