// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include "model/graph.hpp"

namespace imago::nn {

/// `x` [n, c, h, w] by `weight` [o, c / groups, kh, kw] with the padding and stride of `conv`, and `bias` [o] or
/// undefined; by libtorch, or by products of matrices where those are faster.
torch::Tensor convolve(const model::Conv2d& conv, torch::Tensor x, const torch::Tensor& weight,
                       const torch::Tensor& bias);

/// One of 3 x 3, stride 1 and padding 1: `x` [n, c, h, w] in channels last and `weight` [o, c, 3, 3], float32 on the
/// processor, to [n, o, h, w]. The same number of threads gives the same bits.
torch::Tensor convolve_by_products(const torch::Tensor& x, const torch::Tensor& weight);

}  // namespace imago::nn
