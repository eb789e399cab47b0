// SPDX-License-Identifier: Apache-2.0
// The data sets of a workspace on disk:
//
//   datasets/objects/ab/abcdef...          encoded images by sha256, shared by all versions
//   datasets/NAME/VERSION/manifest.jsonl   rows
//   datasets/NAME/VERSION/refused.jsonl    files that were not taken, each with its reason
//   datasets/NAME/VERSION/fixed.jsonl      files that were taken, but not quite as they lay, each with what was done
//   datasets/NAME/latest                   the newest version's name
//   datasets/cache/...                     packed pixels, may be deleted at any time
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "data/manifest.hpp"

namespace imago::data {

struct Refusal {
  std::string path;
  std::string reason;
};

/// A version by its manifest's first line.
struct VersionSummary {
  std::string version;
  std::string parent;  ///< empty for a first import
  std::vector<std::string> labels;
  std::size_t images = 0;
  std::string created;  ///< RFC 3339: when its manifest was written
};

class Repository {
 public:
  explicit Repository(std::filesystem::path datasets_folder);

  /// Names with their versions, oldest first.
  [[nodiscard]] Result<std::vector<std::string>> names() const;
  [[nodiscard]] Result<std::vector<std::string>> versions(const std::string& name) const;

  /// All versions of a data set, oldest first, without reading their rows. NotFound lists the data sets there are.
  [[nodiscard]] Result<std::vector<VersionSummary>> history(const std::string& name) const;

  /// The version that `reference` stands for, without reading its rows. Errors as load.
  [[nodiscard]] Result<std::string> version(const std::string& reference) const;
  /// `reference` is NAME or NAME@VERSION (a unique prefix will do). NotFound lists what there is.
  [[nodiscard]] Result<Manifest> load(const std::string& reference) const;
  [[nodiscard]] Result<std::vector<Refusal>> refusals(const std::string& reference) const;
  /// Files that were taken but not quite as they lay; a file is there once for each thing that was done.
  [[nodiscard]] Result<std::vector<Refusal>> fixed(const std::string& reference) const;

  /// The encoded image of an entry. Corrupt when its bytes no longer match their hash.
  [[nodiscard]] Result<std::string> read_object(const std::string& sha256) const;

  /// Publishes a manifest whose objects are stored already, and makes it the newest; a version that is there stays as
  /// it is. Returns the version. Syncs the objects first: what is published survives a power cut.
  Result<std::string> publish(const Manifest& manifest, const std::vector<Refusal>& refused);
  /// The same for a folder with a version's files, in this repository's folder and seen by nobody yet.
  Result<void> publish_files(const std::string& name, const std::string& version, const std::filesystem::path& files);
  /// Stores encoded bytes under their hash; no-op when there. Not synced one by one: publish syncs. Returns the hash.
  /// An import that may still fail uses a Staging instead. Safe from any thread.
  Result<std::string> put_object(std::string_view bytes);

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] std::filesystem::path object_path(const std::string& sha256) const;
  /// True when the object is stored with exactly these bytes, which hash to `sha256`.
  [[nodiscard]] bool has_object(const std::string& sha256, std::string_view bytes) const;

 private:
  /// The folder of a version.
  [[nodiscard]] Result<std::filesystem::path> resolve(const std::string& reference) const;

  std::filesystem::path folder_;
};

}  // namespace imago::data
