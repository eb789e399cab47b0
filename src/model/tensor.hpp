// SPDX-License-Identifier: Apache-2.0
// Named float tensors: what a network has learned.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace imago::model {

/// float32, row-major.
struct Tensor {
  std::vector<std::int64_t> shape;  ///< empty: a scalar
  std::vector<float> data;

  friend bool operator==(const Tensor&, const Tensor&) = default;
};

/// "node.weight" -> tensor, with PyTorch's suffixes: weight, bias, running_mean, running_var.
using Weights = std::map<std::string, Tensor>;

}  // namespace imago::model
