// SPDX-License-Identifier: Apache-2.0
// Inside data/: what the places of a source say about classes and splits.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "data/places.hpp"

namespace imago::data {

/// The split that people mean by a word, which is in lower case.
std::optional<Split> split_meant(std::string_view word);

struct Layout {
  std::vector<std::string> labels;  ///< sorted
  std::size_t skip = 0;             ///< letters that every image's path begins with and that say nothing
};

/// Gives each place its label and split, or an objection. Forms, each in any number of enclosing folders:
///
///   - CLASS/IMAGE, or with splits: train/CLASS/IMAGE, test/... and so on;
///   - CLASS.NUMBER.ENDING, all in one folder or in train/, test/ and so on, where no folder of classes is.
///
/// InvalidArgument when there are fewer than two classes, or both forms; when a class has no image that is sound (its
/// folder is among `folders`, or others have images for it only outside training).
Result<Layout> lay_out(std::vector<Place>& places, const std::set<std::string>& folders);

}  // namespace imago::data
