// SPDX-License-Identifier: Apache-2.0
// What changed between two data sets, told by content: a renamed file is no change.
#pragma once

#include <string>
#include <vector>

#include "data/manifest.hpp"

namespace imago::data {

/// An image of one of the two.
struct DiffImage {
  std::string path;
  std::string sha256;
  std::string label;
  Split split = Split::Train;
};

/// The same image, before and after.
struct DiffChange {
  DiffImage before, after;
};

struct DatasetDiff {
  std::vector<DiffImage> added, removed;  ///< by path
  std::vector<DiffChange> relabelled;     ///< its label changed
  std::vector<DiffChange> moved;          ///< its split changed; may be relabelled too
  std::size_t unchanged = 0;              ///< content, label and split as before
};

/// Copies of one content are matched by path first, then in order.
DatasetDiff diff_datasets(const Manifest& before, const Manifest& after);

}  // namespace imago::data
