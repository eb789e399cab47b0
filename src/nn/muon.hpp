// SPDX-License-Identifier: Apache-2.0
// What Muon makes of a gradient: a matrix whose singular values are all about 1.
#pragma once

#include <torch/torch.h>

namespace imago::nn {

/// About U V^T where U S V^T is the singular value decomposition of `matrix`: three steps of the quintic Newton-Schulz
/// iteration X <- a X + b (X X^T) X + c (X X^T)^2 X with (a, b, c) = (3.4445, -4.7750, 2.0315), which brings singular
/// values to around 1 rather than to 1. In float32 (the published script: bfloat16).
/// Source: Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024; airbench94_muon.py.
torch::Tensor orthogonalize(const torch::Tensor& matrix);

}  // namespace imago::nn
