// SPDX-License-Identifier: Apache-2.0
// Images on their way into a repository: out of sight until the whole import has succeeded.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/files.hpp"
#include "data/manifest.hpp"
#include "data/repository.hpp"

namespace imago::data {

/// One import at a time has one: it holds a lock on the repository. Objects lie in a hidden folder that goes when this
/// object does; what a killed import left there goes when the next one begins.
class Staging {
 public:
  /// While another import into the repository is running: Unavailable, or, with `wait`, its turn comes.
  static Result<Staging> open(Repository& repository, bool wait = false);

  /// Keeps the bytes; returns their sha256. Safe from any thread.
  Result<std::string> put(std::string_view bytes);

  /// Moves the objects in and publishes the manifest. Returns the version; `was_there` tells whether it was known
  /// before.
  Result<std::string> publish(const Manifest& manifest, const std::vector<Refusal>& refused, bool& was_there);

 private:
  Staging(Repository& repository, FileLock lock, TemporaryDirectory folder)
      : repository_(&repository), lock_(std::move(lock)), folder_(std::move(folder)) {}

  Repository* repository_;
  FileLock lock_;
  TemporaryDirectory folder_;
};

}  // namespace imago::data
