// SPDX-License-Identifier: Apache-2.0
// Whether a batch fits a network, before libtorch sees it.
#pragma once

#include "nn/learner.hpp"

namespace imago::nn {

/// Images [n, channels, height, width] with their pixels. InvalidArgument names both shapes.
Result<void> check_images(const image::ImageBatch& images, const model::InputShape& input);
/// Images, or as many picks instead of their pixels; labels in [0, classes), second labels and weights.
Result<void> check_batch(const Batch& batch, const model::InputShape& input, int classes);

}  // namespace imago::nn
