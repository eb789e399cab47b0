// SPDX-License-Identifier: Apache-2.0
// Inside data/: copies, near copies, and where they lie.
#pragma once

#include <vector>

#include "data/check.hpp"

namespace imago::data {

/// Leaks between splits, copies with different labels, copies within a split. Blank and damaged images are not compared
/// by looks. Cancelled when `stop` is set.
Result<std::vector<Finding>> find_copies(const Manifest& manifest, const std::vector<ImageFacts>& contents,
                                         const OnCheck& on_progress, const std::atomic<bool>* stop);

}  // namespace imago::data
