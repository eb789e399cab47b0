// SPDX-License-Identifier: Apache-2.0
// Tar files that depend on nothing but what is in them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace imago::data {

/// Packs `files`, paths inside `folder`, into a tar (ustar) at `target`: sorted by path, owner 0, mode 644, modified at
/// 1970-01-01, so that equal files give equal bytes anywhere. There whole or not at all; a file that is there is
/// replaced. NotFound naming a missing file; ResourceExhausted when the disk is full.
Result<void> write_tar(const std::filesystem::path& folder, std::vector<std::string> files,
                       const std::filesystem::path& target);

}  // namespace imago::data
