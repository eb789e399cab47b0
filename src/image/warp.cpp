// SPDX-License-Identifier: Apache-2.0
#include "image/warp.hpp"

#include <array>
#include <cstddef>

namespace imago::image {
namespace {

/// What std::floor gives, without the call into the C library that it costs on the oldest x86-64.
int floor_of(double value) {
  const int towards_zero = static_cast<int>(value);
  return towards_zero - (value < towards_zero ? 1 : 0);
}

/// What std::lround gives for a value of 0 or more.
std::uint8_t rounded(double value) {
  const int whole = static_cast<int>(value);
  return static_cast<std::uint8_t>(whole + (value - whole >= 0.5 ? 1 : 0));
}

}  // namespace

int reflect(int i, int n) {
  if (n == 1) return 0;
  const int period = 2 * (n - 1);
  i %= period;
  if (i < 0) i += period;
  return i < n ? i : period - i;
}

void warp(std::span<const std::uint8_t> source, int width, int height, const Warp& by, std::span<std::uint8_t> out) {
  const auto bytes = static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3;
  EXPECTS(source.size() == bytes && out.size() == bytes && bytes > 0, "warp: both spans hold width * height * 3");
  const double centre_x = (width - 1) / 2.0;
  const double centre_y = (height - 1) / 2.0;
  const std::uint8_t* image = source.data();
  std::uint8_t* target = out.data();
  const auto pixel = [&](int x, int y) { return image + (std::ptrdiff_t{y} * width + x) * 3; };
  for (int y = 0; y < height; ++y) {
    const double down = y - centre_y;
    for (int x = 0; x < width; ++x, target += 3) {
      const double across = (by.mirror ? width - 1 - x : x) - centre_x;
      const double from_x = by.xx * across + by.xy * down + centre_x + by.shift_x;
      const double from_y = by.yy * down + by.yx * across + centre_y + by.shift_y;
      const int x0 = floor_of(from_x);
      const int y0 = floor_of(from_y);
      const double right_share = from_x - x0;
      const double bottom_share = from_y - y0;
      std::array<const std::uint8_t*, 4> around{};
      if (x0 >= 0 && y0 >= 0 && x0 + 1 < width && y0 + 1 < height) {
        around = {pixel(x0, y0), pixel(x0 + 1, y0), pixel(x0, y0 + 1), pixel(x0 + 1, y0 + 1)};
      } else {
        const int left = reflect(x0, width), right = reflect(x0 + 1, width);
        const int top = reflect(y0, height), bottom = reflect(y0 + 1, height);
        around = {pixel(left, top), pixel(right, top), pixel(left, bottom), pixel(right, bottom)};
      }
      for (int c = 0; c < 3; ++c) {
        const double upper = around[0][c] + (around[1][c] - around[0][c]) * right_share;
        const double lower = around[2][c] + (around[3][c] - around[2][c]) * right_share;
        target[c] = rounded(upper + (lower - upper) * bottom_share);
      }
    }
  }
}

}  // namespace imago::image
