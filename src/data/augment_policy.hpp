// SPDX-License-Identifier: Apache-2.0
// RandAugment: a few changes, each drawn from a list of fourteen, all of one strength.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/rng.hpp"

namespace imago::data {

enum class Operation {
  Identity,
  ShearX,
  ShearY,
  TranslateX,
  TranslateY,
  Rotate,
  Brightness,
  Colour,
  Contrast,
  Sharpness,
  Posterize,
  Solarize,
  Autocontrast,
  Equalize,
};

inline constexpr int kOperations = 14;
inline constexpr int kMostMagnitude = 30;

/// "shear_x", "colour": as docs/augmentation.md names them.
std::string_view to_string(Operation operation) noexcept;

/// Changes interleaved RGB of width * height in place. With m = magnitude / 30: shear by 0.3 m, shift by 150 / 331 m of
/// the side in whole pixels, rotation by 30 m degrees, colour factors 1 + 0.9 m, posterize to 8 - round(4 m) bits,
/// solarize from 255 (1 - m). @param reverse The other way round, for those with a sign: 1 - 0.9 m, to the left.
void apply(Operation operation, int magnitude, bool reverse, std::span<std::uint8_t> rgb, int width, int height);

/// `operations` times: one of the fourteen, and a coin for the sign.
/// Source: Cubuk, Zoph, Shlens, Le, "RandAugment: Practical automated data augmentation with a reduced search space",
/// NeurIPS 2020; the list and the strengths are those of torchvision.transforms.v2.RandAugment (31 bins). What comes in
/// from outside is the image's reflection, where torchvision has black.
void rand_augment(int operations, int magnitude, Rng& rng, std::span<std::uint8_t> rgb, int width, int height);

}  // namespace imago::data
