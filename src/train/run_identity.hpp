// SPDX-License-Identifier: Apache-2.0
// Which run a checkpoint belongs to.
#pragma once

#include <string>

#include "train/trainer.hpp"

namespace imago::train {

/// A hash over all that the weights depend on but the learner's own settings (its state tells those apart). How often
/// checkpoints are written does not matter to it.
std::string identify(const TrainingData& data, const TrainSettings& settings);

}  // namespace imago::train
