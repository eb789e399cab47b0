// SPDX-License-Identifier: Apache-2.0
// The expected values are those of scipy 1.17.1, ndimage.map_coordinates(order=1, mode="mirror") at the places that
// warp.hpp's formula gives, rounded.
#include "image/warp.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

namespace imago::image {
namespace {

using Values = std::vector<int>;

constexpr int kWidth = 6;
constexpr int kHeight = 5;

std::vector<std::uint8_t> picture() {
  std::vector<std::uint8_t> rgb(kWidth * kHeight * 3);
  for (std::size_t i = 0; i < rgb.size(); ++i) rgb[i] = static_cast<std::uint8_t>(7 * i * i + 13 * i);
  return rgb;
}

Values warped(const Warp& by) {
  const auto source = picture();
  std::vector<std::uint8_t> out(source.size());
  warp(source, kWidth, kHeight, by, out);
  return {out.begin(), out.end()};
}

TEST(Warp, TurnsScalesShiftsAndMirrorsAsScipyDoes) {
  const double cosine = std::cos(std::numbers::pi / 6) / 1.25;
  const double sine = std::sin(std::numbers::pi / 6) / 1.25;
  const Values expected{143, 83,  183, 125, 42,  222, 128, 120, 170, 175, 138, 162, 155, 109, 173, 75,  134, 207,
                        149, 123, 127, 68,  156, 167, 69,  203, 137, 134, 139, 159, 95,  164, 65,  98,  145, 170,
                        97,  117, 91,  123, 146, 112, 124, 100, 70,  148, 95,  178, 149, 140, 149, 198, 92,  196,
                        141, 137, 97,  217, 190, 175, 109, 145, 99,  64,  203, 139, 118, 163, 146, 141, 150, 108,
                        100, 128, 76,  113, 137, 108, 100, 128, 113, 82,  112, 199, 152, 49,  208, 145, 118, 140};
  EXPECT_EQ(warped({.xx = cosine, .xy = sine, .yx = -sine, .yy = cosine, .shift_x = 1, .shift_y = -2, .mirror = true}),
            expected);
}

TEST(Warp, ShearsAsScipyDoes) {
  const Values expected{61,  106, 166, 85,  172, 120, 133, 108, 149, 153, 68,  100, 196, 154, 125, 178, 126, 89,
                        148, 177, 219, 97,  91,  175, 197, 130, 180, 65,  219, 132, 59,  178, 133, 91,  126, 97,
                        68,  80,  106, 146, 200, 12,  94,  190, 44,  168, 50,  202, 112, 36,  230, 182, 148, 128,
                        142, 162, 120, 168, 206, 78,  143, 223, 60,  167, 110, 168, 138, 46,  223, 159, 108, 148,
                        136, 166, 55,  126, 146, 79,  128, 190, 11,  102, 104, 70,  100, 93,  152, 70,  157, 104};
  EXPECT_EQ(warped({.xy = -0.3}), expected);
}

TEST(Warp, ByNothingLeavesTheImageAsItIs) {
  const auto same = picture();
  EXPECT_EQ(warped({}), Values(same.begin(), same.end()));
}

TEST(Warp, FarOutsideThereIsStillTheReflection) {
  const auto period = [](double shift) { return warped({.shift_x = shift}); };
  EXPECT_EQ(period(1000 * 2 * (kWidth - 1)), warped({}));
  EXPECT_EQ(period(-1000 * 2 * (kWidth - 1) + 3), period(3));
}

TEST(Reflect, GoesOnWithoutRepeatingTheEnds) {
  // numpy.pad([0, 1, 2], 4, mode="reflect")
  const Values expected{0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2};
  for (int i = -4; i < 7; ++i) EXPECT_EQ(reflect(i, 3), expected[static_cast<std::size_t>(i + 4)]) << i;
  EXPECT_EQ(reflect(-5, 1), 0);
}

}  // namespace
}  // namespace imago::image
