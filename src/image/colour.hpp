// SPDX-License-Identifier: Apache-2.0
// Changes of an image's colours, in place, on interleaved 8-bit RGB. They mean what
// torchvision.transforms.v2.functional and PIL's ImageOps mean by the same names; results are rounded to the nearest,
// where torchvision cuts off.
#pragma once

#include <cstdint>
#include <span>

#include "base/error.hpp"

namespace imago::image {

/// Blends with black. factor: 0 black, 1 as it is, 2 twice as bright; likewise below. None may be negative.
void adjust_brightness(std::span<std::uint8_t> rgb, double factor);
/// Blends with the image's mean gray.
void adjust_contrast(std::span<std::uint8_t> rgb, double factor);
/// Blends every pixel with its own gray (ITU-R 601-2 luma).
void adjust_saturation(std::span<std::uint8_t> rgb, double factor);
/// Turns the hue of HSV. @param shift in [-0.5, 0.5], a share of the colour circle.
void adjust_hue(std::span<std::uint8_t> rgb, double shift);
/// Blends with the image smoothed by [1 1 1; 1 5 1; 1 1 1] / 13; the outermost pixels stay.
void adjust_sharpness(std::span<std::uint8_t> rgb, int width, int height, double factor);
/// Keeps the `bits` highest bits of every value. @param bits 0 to 8.
void posterize(std::span<std::uint8_t> rgb, int bits);
/// Inverts the values at or above the threshold.
void solarize(std::span<std::uint8_t> rgb, double threshold);
/// Stretches every channel to the whole range from 0 to 255; a channel of one value stays.
void autocontrast(std::span<std::uint8_t> rgb);
/// Makes every channel's values about equally frequent, as PIL's ImageOps.equalize.
void equalize(std::span<std::uint8_t> rgb);

}  // namespace imago::image
