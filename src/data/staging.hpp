// SPDX-License-Identifier: Apache-2.0
// Images on their way into a repository: out of sight until the whole import has succeeded.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/files.hpp"
#include "data/manifest.hpp"
#include "data/repository.hpp"

namespace imago::data {

/// One import at a time has one: it holds a lock on the repository. All lies in a hidden folder that goes when this
/// object does; what a killed import left there goes when the next one begins.
class Staging {
 public:
  /// While another import into the repository is running: Unavailable, or, with `wait`, its turn comes.
  static Result<Staging> open(Repository& repository, bool wait = false);

  /// Keeps the bytes; returns their sha256. Safe from any thread.
  Result<std::string> put(std::string_view bytes);
  /// The same for bytes whose sha256 is known, and which the repository does not have.
  Result<void> put_new(const std::string& sha256, std::string_view bytes);

  /// For other files of the work.
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }
  [[nodiscard]] const Repository& repository() const { return *repository_; }

  /// Moves the objects in and publishes the manifest. Returns the version; `was_there` tells whether it was known
  /// before.
  Result<std::string> publish(const Manifest& manifest, const std::vector<Refusal>& refused, bool& was_there);
  /// The same for a version whose files lie in `files`, somewhere below folder(). Returns whether it was known before.
  Result<bool> publish_files(const std::string& name, const std::string& version, const std::filesystem::path& files);

 private:
  Staging(Repository& repository, FileLock lock, TemporaryDirectory folder)
      : repository_(&repository), lock_(std::move(lock)), folder_(std::move(folder)) {}
  [[nodiscard]] Result<bool> is_known(const std::string& name, const std::string& version) const;
  [[nodiscard]] std::filesystem::path objects() const { return folder_.path() / "objects"; }
  Result<void> move_objects();

  Repository* repository_;
  FileLock lock_;
  TemporaryDirectory folder_;
};

}  // namespace imago::data
