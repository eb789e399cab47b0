// SPDX-License-Identifier: Apache-2.0
// Slices and what changed in them, for the terminal.
#pragma once

#include <string>
#include <vector>

#include "evaluate/paired.hpp"
#include "evaluate/slices.hpp"

namespace imago::app {

/// The first `most`.
std::string slice_table(const std::vector<evaluate::Slice>& slices, std::size_t most);

/// Of each column the first `most`.
std::string change_table(const std::vector<evaluate::SliceChange>& changes, std::size_t most);

}  // namespace imago::app
