// SPDX-License-Identifier: Apache-2.0
// Pictures for tests that survive what photographs survive: scaling, JPEG, brightness.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "base/rng.hpp"
#include "image/image.hpp"

namespace imago::data {

/// Smooth blobs, so that it survives what a photograph survives.
inline image::Image blobs(std::uint64_t seed, int side) {
  Rng rng(seed);
  image::Image made{side, side, std::vector<std::uint8_t>(static_cast<std::size_t>(side * side) * 3)};
  std::array<std::array<double, 6>, 12> blob{};
  for (auto& one : blob) {
    for (auto& value : one) value = rng.uniform();
  }
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      std::array<double, 3> colour{60, 60, 60};
      for (const auto& [cx, cy, size, r, g, b] : blob) {
        const double dx = (x + 0.5) / side - cx;
        const double dy = (y + 0.5) / side - cy;
        const double weight = std::exp(-(dx * dx + dy * dy) / (0.005 + 0.02 * size));
        colour[0] += 120 * r * weight;
        colour[1] += 120 * g * weight;
        colour[2] += 120 * b * weight;
      }
      for (std::size_t c = 0; c < 3; ++c)
        made.rgb[static_cast<std::size_t>(y * side + x) * 3 + c] =
            static_cast<std::uint8_t>(std::min(255.0, colour[c]));
    }
  }
  return made;
}

}  // namespace imago::data
