// SPDX-License-Identifier: Apache-2.0
#include "data/augment_policy.hpp"

#include <cmath>
#include <numbers>
#include <vector>

#include "base/error.hpp"
#include "image/colour.hpp"
#include "image/warp.hpp"

namespace imago::data {
namespace {

constexpr double kMostShear = 0.3;
constexpr double kMostShift = 150.0 / 331.0;  // of the side: the paper's 150 pixels of ImageNet's 331
constexpr double kMostTurn = 30.0 / 180.0 * std::numbers::pi;
constexpr double kMostFactor = 0.9;

void warp_in_place(std::span<std::uint8_t> rgb, int width, int height, const image::Warp& by) {
  const std::vector<std::uint8_t> source(rgb.begin(), rgb.end());
  image::warp(source, width, height, by, rgb);
}

image::Warp turn(double radians) {
  return {.xx = std::cos(radians), .xy = std::sin(radians), .yx = -std::sin(radians), .yy = std::cos(radians)};
}

}  // namespace

std::string_view to_string(Operation operation) noexcept {
  switch (operation) {
    case Operation::Identity: return "identity";
    case Operation::ShearX: return "shear_x";
    case Operation::ShearY: return "shear_y";
    case Operation::TranslateX: return "translate_x";
    case Operation::TranslateY: return "translate_y";
    case Operation::Rotate: return "rotate";
    case Operation::Brightness: return "brightness";
    case Operation::Colour: return "colour";
    case Operation::Contrast: return "contrast";
    case Operation::Sharpness: return "sharpness";
    case Operation::Posterize: return "posterize";
    case Operation::Solarize: return "solarize";
    case Operation::Autocontrast: return "autocontrast";
    case Operation::Equalize: return "equalize";
  }
  return "identity";
}

void apply(Operation operation, int magnitude, bool reverse, std::span<std::uint8_t> rgb, int width, int height) {
  EXPECTS(magnitude >= 0 && magnitude <= kMostMagnitude, "a magnitude from 0 to 30");
  const double strength = static_cast<double>(magnitude) / kMostMagnitude;
  const double sign = reverse ? -1 : 1;
  const double factor = 1 + sign * kMostFactor * strength;
  const auto warped = [&](const image::Warp& by) { warp_in_place(rgb, width, height, by); };
  // The look-up goes from the result to the source: to move the image right, look left.
  switch (operation) {
    case Operation::Identity: return;
    case Operation::ShearX: return warped({.xy = -sign * kMostShear * strength});
    case Operation::ShearY: return warped({.yx = -sign * kMostShear * strength});
    case Operation::TranslateX: return warped({.shift_x = -sign * std::floor(kMostShift * strength * width)});
    case Operation::TranslateY: return warped({.shift_y = -sign * std::floor(kMostShift * strength * height)});
    case Operation::Rotate: return warped(turn(sign * kMostTurn * strength));
    case Operation::Brightness: return image::adjust_brightness(rgb, factor);
    case Operation::Colour: return image::adjust_saturation(rgb, factor);
    case Operation::Contrast: return image::adjust_contrast(rgb, factor);
    case Operation::Sharpness: return image::adjust_sharpness(rgb, width, height, factor);
    case Operation::Posterize: return image::posterize(rgb, 8 - static_cast<int>(std::lround(4 * strength)));
    case Operation::Solarize: return image::solarize(rgb, 255 * (1 - strength));
    case Operation::Autocontrast: return image::autocontrast(rgb);
    case Operation::Equalize: return image::equalize(rgb);
  }
}

void rand_augment(int operations, int magnitude, Rng& rng, std::span<std::uint8_t> rgb, int width, int height) {
  for (int i = 0; i < operations; ++i) {
    const auto operation = static_cast<Operation>(rng.below(kOperations));
    const bool reverse = rng.chance(0.5);
    apply(operation, magnitude, reverse, rgb, width, height);
  }
}

}  // namespace imago::data
