// SPDX-License-Identifier: Apache-2.0
// Inside data/: the files of a version on their way to the disk, row by row.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "data/line_file.hpp"
#include "data/manifest.hpp"

namespace imago::data {

/// manifest.jsonl, refused.jsonl and fixed.jsonl in a folder that nobody sees yet.
class VersionFiles {
 public:
  /// @param header its `entries` must come true.
  static Result<VersionFiles> create(const std::filesystem::path& folder, const ManifestHeader& header);

  /// In the order of their paths.
  Result<void> add(const Entry& entry);
  Result<void> add_refused(std::string_view path, std::string_view reason);
  Result<void> add_fixed(std::string_view path, std::string_view reason);

  /// Closes the files; the version.
  Result<std::string> finish();

 private:
  VersionFiles(const ManifestHeader& header, LineFile manifest, LineFile refused, LineFile fixed)
      : hash_(header.labels),
        expected_(header.entries),
        manifest_(std::move(manifest)),
        refused_(std::move(refused)),
        fixed_(std::move(fixed)) {}

  VersionHash hash_;
  std::size_t expected_ = 0, added_ = 0;
  LineFile manifest_, refused_, fixed_;
};

}  // namespace imago::data
