// SPDX-License-Identifier: Apache-2.0
#include "data/augment_policy.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "data/augment.hpp"
#include "image/colour.hpp"
#include "image/warp.hpp"

namespace imago::data {
namespace {

constexpr int kSide = 24;  // large enough for equalize to find something to do

std::vector<std::uint8_t> picture() {
  std::vector<std::uint8_t> rgb(kSide * kSide * 3);
  for (std::size_t i = 0; i < rgb.size(); ++i) rgb[i] = static_cast<std::uint8_t>(40 + (7 * i * i + 13 * i) % 150);
  return rgb;
}

std::vector<std::uint8_t> applied(Operation operation, int magnitude, bool reverse) {
  auto rgb = picture();
  apply(operation, magnitude, reverse, rgb, kSide, kSide);
  return rgb;
}

TEST(Policy, HasTheStrengthsOfTorchvision) {
  // _AUGMENTATION_SPACE of torchvision 0.29.2's RandAugment at bins 9 and 30 of 31, sides of 24.
  const auto expect = [](Operation operation, int magnitude, bool reverse, const auto& change) {
    auto rgb = picture();
    change(std::span(rgb));
    EXPECT_EQ(applied(operation, magnitude, reverse), rgb) << to_string(operation) << magnitude;
  };
  const auto warped = [](const image::Warp& by) {
    return [by](std::span<std::uint8_t> rgb) { image::warp(picture(), kSide, kSide, by, rgb); };
  };
  expect(Operation::TranslateX, 9, false, warped({.shift_x = -3}));  // int(3.26)
  expect(Operation::TranslateY, 30, true, warped({.shift_y = 10}));  // int(10.88)
  expect(Operation::Posterize, 9, false, [](auto rgb) { image::posterize(rgb, 7); });
  expect(Operation::Posterize, 30, false, [](auto rgb) { image::posterize(rgb, 4); });
  expect(Operation::Solarize, 9, false, [](auto rgb) { image::solarize(rgb, 0.7 * 255); });
  expect(Operation::Solarize, 30, false, [](auto rgb) { image::solarize(rgb, 0); });
  expect(Operation::Brightness, 10, false, [](auto rgb) { image::adjust_brightness(rgb, 1.3); });
  expect(Operation::Colour, 30, true, [](auto rgb) { image::adjust_saturation(rgb, 1 - 0.9); });
  expect(Operation::Contrast, 30, true, [](auto rgb) { image::adjust_contrast(rgb, 1 - 0.9); });
  expect(Operation::Sharpness, 30, false, [](auto rgb) { image::adjust_sharpness(rgb, kSide, kSide, 1.9); });
}

TEST(Policy, MovesAPointWhereItsNameSays) {
  const auto place = [](Operation operation, bool reverse) {
    std::vector<std::uint8_t> rgb(kSide * kSide * 3, 0);
    const std::size_t x = 10, y = 5;
    for (std::size_t c = 0; c < 3; ++c) rgb[(y * kSide + x) * 3 + c] = 255;
    apply(operation, 9, reverse, rgb, kSide, kSide);
    const auto brightest = static_cast<std::size_t>(std::max_element(rgb.begin(), rgb.end()) - rgb.begin()) / 3;
    return std::pair(brightest % kSide, brightest / kSide);
  };
  using Place = std::pair<std::size_t, std::size_t>;
  EXPECT_EQ(place(Operation::TranslateX, false), Place(13, 5));
  EXPECT_EQ(place(Operation::TranslateX, true), Place(7, 5));
  EXPECT_EQ(place(Operation::TranslateY, false), Place(10, 8));
  EXPECT_EQ(place(Operation::TranslateY, true), Place(10, 2));
}

TEST(Policy, OfNoMagnitudeChangesNothingButWhatHasNone) {
  for (int i = 0; i < kOperations; ++i) {
    const auto operation = static_cast<Operation>(i);
    if (operation == Operation::Autocontrast || operation == Operation::Equalize) continue;
    EXPECT_EQ(applied(operation, 0, false), picture()) << to_string(operation);
    if (operation != Operation::Identity) {
      EXPECT_NE(applied(operation, 20, false), picture()) << to_string(operation);
    }
  }
}

TEST(Policy, DrawsFromAllOperationsAndRepeatsForTheSameSeed) {
  const auto drawn = [](std::size_t index, int epoch) {
    const auto image = picture();
    std::vector<std::uint8_t> out(image.size());
    augment(image, kSide, kSide, {.randaugment_operations = 1, .randaugment_magnitude = 20}, 3, epoch, index, out);
    return out;
  };
  std::set<std::vector<std::uint8_t>> seen;
  for (std::size_t i = 0; i < 400; ++i) {
    EXPECT_EQ(drawn(i, 0), drawn(i, 0));
    seen.insert(drawn(i, 0));
  }
  // Nine that have two directions, and five (with identity) that have none.
  EXPECT_EQ(seen.size(), 9U * 2 + 5U);
  EXPECT_NE(drawn(0, 0), drawn(0, 1));
}

}  // namespace
}  // namespace imago::data
