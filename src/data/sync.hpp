// SPDX-License-Identifier: Apache-2.0
// Inside data/: many files on the disk before anything says that they are there.
#pragma once

#include <filesystem>
#include <vector>

#include "base/error.hpp"

namespace imago::data {

/// All of the file system that `folder` lies on, in one call: syncing 60,000 files one by one would take minutes.
Result<void> sync_file_system(const std::filesystem::path& folder);

/// These files or folders of one file system: one by one when they are few, else as above.
Result<void> sync_paths(const std::vector<std::filesystem::path>& paths);

}  // namespace imago::data
