// SPDX-License-Identifier: Apache-2.0
// What a retraining learns from: the images that are new, and some of the old so that they are not forgotten.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.hpp"
#include "data/manifest.hpp"
#include "data/packed.hpp"

namespace imago::train {

struct ReplayRows {
  std::vector<std::size_t> rows;  ///< of the split, in its order
  std::size_t fresh = 0;          ///< how many of them are new
};

/// New is an image of `train` that `parent` has in no split under that label (content and label's name count, the path
/// does not). Of the others `images` are drawn without repetition, the same for the same seed; all when there are
/// fewer. InvalidArgument when nothing is new.
Result<ReplayRows> replay_rows(const data::PackedSplit& train, const data::Manifest& manifest,
                               const data::Manifest& parent, std::size_t images, std::uint64_t seed);

}  // namespace imago::train
