// SPDX-License-Identifier: Apache-2.0
// Which versions of a model are served: what `imago serve --model` says, held against the registry.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "registry/registry.hpp"

namespace imago::serve {

/// MODEL, MODEL@3, MODEL@champion: the one version that this stands for, now and later (Registry::resolve; ':' may
/// stand for '@'). MODEL@latest=2: the newest two. MODEL@all. MODEL@1,3: these.
struct VersionPolicy {
  enum class Kind { Reference, Latest, All, Specific };
  Kind kind = Kind::Reference;
  std::string model;
  std::string reference;   ///< Reference: as Registry::resolve takes it
  int latest = 1;          ///< Latest: how many
  std::set<int> versions;  ///< Specific
};

/// InvalidArgument for a name that cannot be a model's, for "latest=0" and for lists that hold no version numbers.
Result<VersionPolicy> parse_version_policy(const std::string& text);

/// What is asked for beyond the policy, at run time.
struct VersionChanges {
  std::set<int> added;
  std::set<int> removed;
  std::optional<int> default_version;
};

struct SelectedVersions {
  std::vector<registry::ModelVersion> versions;  ///< one or more, newest first
  int default_version = 0;                       ///< one of them: answers who names no version

  [[nodiscard]] const registry::ModelVersion& chosen() const;
};

/// The default is the version asked for as such, else that of a Reference, else the champion, else the newest. NotFound
/// when the registry has none of the versions, or not all of a Specific policy.
Result<SelectedVersions> select_versions(const VersionPolicy& policy, const VersionChanges& changes,
                                         registry::Registry& registry);

}  // namespace imago::serve
