// SPDX-License-Identifier: Apache-2.0
// An image seen through an affine change of coordinates: rotation, scale, shear, shift and mirror in one look-up.
#pragma once

#include <cstdint>
#include <span>

#include "base/error.hpp"

namespace imago::image {

/// Where a pixel of the result comes from. With (across, down) its place counted from the image's centre, `across`
/// negated first when `mirror` is set, it is
///
///     centre_x + shift_x + xx * across + xy * down
///     centre_y + shift_y + yx * across + yy * down
struct Warp {
  double xx = 1, xy = 0, yx = 0, yy = 1;
  double shift_x = 0, shift_y = 0;  ///< pixels
  bool mirror = false;
};

/// Index of `i` in a row of n that goes on mirrored at both ends without repeating the end (numpy's "reflect"):
/// ... 2 1 0 1 2 ... n-2 n-1 n-2 ...; any distance outside.
int reflect(int i, int n);

/// Bilinear, rounded to the nearest; outside the image its reflection. Both are interleaved RGB of width * height and
/// must not overlap.
void warp(std::span<const std::uint8_t> source, int width, int height, const Warp& by, std::span<std::uint8_t> out);

}  // namespace imago::image
