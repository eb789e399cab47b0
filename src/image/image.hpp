// SPDX-License-Identifier: Apache-2.0
// Pixels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/error.hpp"

namespace imago::image {

/// An 8-bit RGB image: rows from the top, pixels from the left, channels R, G, B interleaved, no padding.
struct Image {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> rgb;  ///< height * width * 3

  [[nodiscard]] std::size_t pixels() const {
    return static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  }
};

/// Network input: float32 [n, channels, height, width], row-major, after Preprocess.
struct ImageBatch {
  int n = 0;
  int channels = 3;
  int height = 0;
  int width = 0;
  std::vector<float> data;

  [[nodiscard]] std::size_t item_size() const {
    return static_cast<std::size_t>(channels) * static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  }
  [[nodiscard]] std::span<float> item(int i) {
    return std::span(data).subspan(static_cast<std::size_t>(i) * item_size(), item_size());
  }
  [[nodiscard]] std::span<const float> item(int i) const {
    return std::span(data).subspan(static_cast<std::size_t>(i) * item_size(), item_size());
  }
};

}  // namespace imago::image
