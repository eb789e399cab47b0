// SPDX-License-Identifier: Apache-2.0
// Inside data/: what the paths of a source say about classes and splits.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "data/manifest.hpp"
#include "data/repository.hpp"

namespace imago::data {

/// Gives each entry, found by its path as it is in the source, its path without enclosing folders, its label and its
/// split; entries that are in no class folder go to `refused`. Fills manifest.labels (sorted). InvalidArgument when a
/// class has no image (its folder is among `folders`, or others have images for it only outside training), or when
/// there are fewer than two classes.
Result<void> lay_out(Manifest& manifest, const std::set<std::string>& folders, std::vector<Refusal>& refused);

}  // namespace imago::data
