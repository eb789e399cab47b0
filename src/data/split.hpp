// SPDX-License-Identifier: Apache-2.0
// Which images are for training, which for choosing, which for the final word.
#pragma once

#include <cstdint>
#include <vector>

#include "data/import.hpp"
#include "data/manifest.hpp"

namespace imago::data {

/// Marks entries as validation and test, class by class (stratified), out of those that are Train. Whatever is marked
/// already stays: with a test split given, none is cut off; the same for validation. Each class keeps at least one
/// training image. Files with the same content go the same way, so that no copy of a training image is in a test. The
/// same entries, ratios and seed give the same split.
void assign_splits(std::vector<Entry>& entries, const SplitRatios& ratios, std::uint64_t seed);

}  // namespace imago::data
