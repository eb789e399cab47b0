// SPDX-License-Identifier: Apache-2.0
#include "nn/muon.hpp"

namespace imago::nn {

torch::Tensor orthogonalize(const torch::Tensor& matrix) {
  constexpr double a = 3.4445, b = -4.7750, c = 2.0315;
  const bool tall = matrix.size(0) > matrix.size(1);  // the iteration costs the square of the number of rows
  torch::Tensor x = matrix / (matrix.norm() + 1e-7);  // largest singular value at most 1
  if (tall) x = x.t();
  for (int step = 0; step < 3; ++step) {
    const torch::Tensor square = x.mm(x.t());
    x = a * x + (b * square + c * square.mm(square)).mm(x);
  }
  return tall ? x.t() : x;
}

}  // namespace imago::nn
