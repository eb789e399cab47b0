// SPDX-License-Identifier: Apache-2.0
// Which images are for training, which for choosing, which for the final word.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "data/manifest.hpp"

namespace imago::data {

/// Shares of the images. Where the source has a test split (`test/<class>/...`), it stays as it is and only
/// `validation` counts: taken from the training images, unless the source has a validation split too.
struct SplitRatios {
  double validation = 0.1;  ///< in [0, 1); 0: no validation split
  double test = 0.1;        ///< in [0, 1); their sum below 1
};

/// The distinct contents of one class that have no split of their own, in the order of their hashes.
struct ClassContents {
  int label = 0;
  std::vector<std::uint32_t> copies;  ///< how many images have each
  std::vector<std::uint32_t> groups;  ///< those with one number, not 0, stay together; empty: there are none
};

/// Cuts off validation and test, class by class (stratified): a share of the images of each, by chance; each class
/// keeps at least one content for training. A content goes one way with all its copies, so that no copy of a training
/// image is in a test; so does a group, even one with several classes: the first of them decides. A group that would
/// be more than is still wanted stays in training. The same contents, ratios and seed give the same split.
class Splitter {
 public:
  Splitter(const SplitRatios& ratios, std::uint64_t seed) : ratios_(ratios), seed_(seed) {}

  /// The split of each content. Classes come in the order of their labels.
  std::vector<Split> split(const ClassContents& contents);

 private:
  const SplitRatios ratios_;
  const std::uint64_t seed_;
  std::map<std::uint32_t, Split> decided_;  // groups
};

/// Marks entries as validation and test, out of those that are Train. Whatever is marked already stays: with a test
/// split given, none is cut off; the same for validation.
void assign_splits(std::vector<Entry>& entries, const SplitRatios& ratios, std::uint64_t seed);

}  // namespace imago::data
