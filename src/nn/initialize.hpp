// SPDX-License-Identifier: Apache-2.0
// What weights start from.
#pragma once

#include <torch/torch.h>

#include "base/error.hpp"
#include "nn/network.hpp"

namespace imago::nn {

/// Draws every weight as PyTorch's layers do (uniform in +-1/sqrt(fan in)), then applies Init::Identity; BatchNorm
/// starts as (1, 0), its statistics as mean 0, variance 1.
void draw_weights(const Network& network, Values& values, at::Generator& generator);

/// Sets the convolutions with Init::Whitening from `images` [n, c, h, w]: see whitening_filters.
Result<void> set_whitening(const Network& network, const torch::Tensor& images, Values& values);

/// Filters [2 * half, c, kernel, kernel] that turn patches into uncorrelated values of unit variance, and their
/// negations: the `half` leading eigenvectors of the patches' second moments (not centred), each divided by
/// sqrt(eigenvalue + 5e-4). Source: Jordan, "94% on CIFAR-10 in 3.29 seconds on a single GPU", 2024, section 3.2;
/// legacy/airbench94.py.
torch::Tensor whitening_filters(const torch::Tensor& images, int kernel, int half);

}  // namespace imago::nn
