// SPDX-License-Identifier: Apache-2.0
// What libtorch keeps once for the process: its threads, and that it repeats itself.
#pragma once

#include <torch/torch.h>

#include "nn/learner.hpp"

namespace imago::nn {

/// Before the first operation. @param threads of libtorch's pool; 0: as many as the machine has.
void set_up_process(int threads);

/// What a training step's products are computed in.
at::ScalarType product_type(Precision precision, torch::Device device);

}  // namespace imago::nn
