// SPDX-License-Identifier: Apache-2.0
// For intervals by resampling.
#pragma once

#include <algorithm>
#include <vector>

namespace imago::evaluate {

/// Linear between the neighbours, as numpy.percentile. @param sorted not empty. @param q in [0, 1].
inline double quantile(const std::vector<double>& sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace imago::evaluate
