// SPDX-License-Identifier: Apache-2.0
// How a model does on images it does not learn from.
#pragma once

#include "base/error.hpp"
#include "data/packed.hpp"
#include "image/preprocess.hpp"
#include "model/classifier.hpp"
#include "train/sharding.hpp"

namespace imago::train {

struct Validation {
  double loss = 0.0;  ///< mean cross-entropy, without label smoothing
  double accuracy = 0.0;
};

/// On the whole split. Sums in double, in the split's order. Those who train together take every so many'th batch each.
Result<Validation> validate(model::Classifier& classifier, const data::PackedSplit& split,
                            const image::Preprocess& preprocess, const Sharding& sharding = Sharding(nullptr));

}  // namespace imago::train
