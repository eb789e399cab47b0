// SPDX-License-Identifier: Apache-2.0
// The expected values are those of torchvision 0.29.2, transforms.v2.functional, on uint8 tensors. It cuts off where we
// round, so some may be one apart.
#include "image/colour.hpp"

#include <gmock/gmock.h>

#include <numeric>
#include <vector>

namespace imago::image {
namespace {

using ::testing::Pointwise;
using Values = std::vector<int>;

constexpr int kWidth = 6;
constexpr int kHeight = 5;

/// Values with no pattern that the eye would see: (7 i i + 13 i) mod 256.
std::vector<std::uint8_t> picture(std::size_t values = kWidth * kHeight * 3) {
  std::vector<std::uint8_t> rgb(values);
  for (std::size_t i = 0; i < rgb.size(); ++i) rgb[i] = static_cast<std::uint8_t>(7 * i * i + 13 * i);
  return rgb;
}

MATCHER(IsAtMostOneApart, "") {
  const int difference = std::get<0>(arg) - std::get<1>(arg);
  return difference >= -1 && difference <= 1;
}

template <class Change>
Values changed(const Change& change, std::vector<std::uint8_t> rgb = picture()) {
  change(rgb);
  return {rgb.begin(), rgb.end()};
}

const Values kHueForward{12,  0,   54,  123, 102, 240, 40,  178, 89,  222, 62,  176, 135, 140, 18,  234, 231, 196,
                         210, 198, 244, 52,  32,  162, 248, 92,  112, 78,  220, 206, 34,  166, 218, 116, 114, 70,
                         79,  68,  106, 33,  200, 12,  44,  190, 81,  202, 50,  145, 229, 36,  230, 182, 181, 128,
                         132, 122, 152, 73,  238, 46,  66,  216, 98,  212, 64,  149, 228, 38,  224, 176, 175, 114,
                         113, 104, 126, 40,  204, 8,   16,  170, 42,  150, 6,   81,  52,  191, 224, 98,  98,  28};
const Values kHueBack{9,   54,  0,   136, 240, 102, 178, 40,  46,  62,  222, 204, 96,  18,  140, 216, 196, 234,
                      205, 244, 198, 64,  162, 32,  92,  175, 248, 220, 148, 78,  218, 197, 34,  95,  70,  116,
                      72,  106, 68,  200, 12,  108, 190, 44,  65,  50,  202, 199, 36,  230, 151, 159, 128, 182,
                      124, 152, 122, 238, 46,  150, 216, 66,  94,  64,  209, 212, 38,  228, 156, 150, 114, 176,
                      104, 126, 104, 204, 8,   119, 170, 16,  51,  6,   139, 150, 224, 189, 52,  70,  28,  98};
const Values kSharper{0,   20,  54,  102, 164, 240, 74,  178, 40,  172, 62,  222, 140, 72,  18,  234, 208, 196,
                      198, 214, 244, 0,   61,  186, 255, 63,  248, 49,  255, 109, 0,   255, 166, 116, 86,  70,
                      68,  80,  106, 152, 224, 0,   65,  214, 0,   192, 3,   226, 101, 0,   255, 182, 148, 128,
                      122, 130, 152, 230, 255, 35,  113, 255, 55,  228, 35,  254, 107, 9,   255, 176, 138, 114,
                      104, 108, 126, 158, 204, 8,   82,  170, 16,  132, 6,   150, 52,  224, 154, 98,  56,  28};
const Values kSmoother{0,   20,  54,  102, 164, 240, 74,  178, 40,  172, 62,  222, 140, 72,  18,  234, 208, 196,
                       198, 214, 244, 78,  118, 137, 170, 120, 163, 106, 160, 130, 98,  158, 153, 116, 86,  70,
                       68,  80,  106, 139, 175, 76,  122, 165, 90,  143, 96,  177, 122, 82,  187, 182, 148, 128,
                       122, 130, 152, 145, 195, 56,  134, 173, 76,  143, 92,  169, 128, 66,  185, 176, 138, 114,
                       104, 108, 126, 158, 204, 8,   82,  170, 16,  132, 6,   150, 52,  224, 154, 98,  56,  28};
const Values kBrighter{0,   28,  75,  142, 229, 255, 103, 249, 56,  240, 86,  255, 196, 100, 25,  255, 255, 255,
                       255, 255, 255, 44,  126, 226, 255, 128, 255, 109, 255, 168, 47,  255, 224, 162, 120, 98,
                       95,  112, 148, 204, 255, 16,  131, 255, 61,  235, 70,  255, 156, 50,  255, 254, 207, 179,
                       170, 182, 212, 255, 255, 64,  173, 255, 92,  255, 89,  255, 165, 53,  255, 246, 193, 159,
                       145, 151, 176, 221, 255, 11,  114, 238, 22,  184, 8,   210, 72,  255, 215, 137, 78,  39};
const Values kFlatter{51,  63,  83,  112, 149, 195, 95,  157, 75,  154, 88,  184, 135, 94,  61,  191, 175, 168,
                      169, 179, 197, 70,  105, 148, 199, 106, 174, 97,  183, 123, 71,  181, 147, 120, 102, 93,
                      91,  99,  114, 138, 171, 58,  107, 165, 77,  151, 81,  172, 118, 72,  189, 160, 139, 127,
                      124, 129, 142, 163, 193, 78,  125, 180, 90,  162, 89,  178, 121, 73,  187, 156, 133, 119,
                      113, 115, 126, 145, 173, 55,  100, 153, 60,  130, 54,  141, 82,  185, 143, 109, 84,  67};
const Values kMoreColourful{0,   22,  79,  65,  171, 255, 34,  210, 0,   213, 26,  255, 177, 62,  0,   248, 203, 183,
                            188, 215, 255, 0,   97,  219, 255, 50,  244, 16,  255, 87,  0,   255, 162, 132, 81,  53,
                            60,  80,  124, 134, 226, 0,   59,  222, 0,   214, 13,  255, 134, 5,   255, 200, 143, 109,
                            116, 130, 167, 178, 255, 0,   91,  247, 0,   234, 26,  255, 142, 6,   255, 197, 132, 91,
                            101, 108, 138, 151, 229, 0,   51,  200, 0,   182, 0,   213, 0,   255, 147, 121, 49,  2};
const Values kPosterized{0,   16,  48,  96,  160, 240, 72,  176, 40,  168, 56,  216, 136, 72,  16,  232, 208, 192,
                         192, 208, 240, 32,  88,  160, 248, 88,  200, 72,  216, 120, 32,  216, 160, 112, 80,  64,
                         64,  80,  104, 144, 200, 8,   88,  184, 40,  168, 48,  200, 112, 32,  224, 176, 144, 128,
                         120, 128, 152, 184, 232, 40,  120, 216, 64,  184, 64,  208, 112, 32,  224, 176, 136, 112,
                         104, 104, 120, 152, 200, 8,   80,  168, 16,  128, 0,   144, 48,  224, 152, 96,  56,  24};
const Values kSolarized{0,   20,  54,  102, 164, 15,  74,  178, 40, 172, 62, 33,  140, 72, 18,  21,  47,  59,
                        57,  41,  11,  32,  90,  162, 7,   92,  49, 78,  35, 120, 34,  37, 160, 116, 86,  70,
                        68,  80,  106, 146, 55,  12,  94,  65,  44, 168, 50, 53,  112, 36, 25,  73,  148, 128,
                        122, 130, 152, 67,  17,  46,  124, 39,  66, 69,  64, 43,  118, 38, 27,  176, 138, 114,
                        104, 108, 126, 158, 51,  8,   82,  170, 16, 132, 6,  150, 52,  31, 154, 98,  56,  28};
const Values kStretched{0,   16,  48,  103, 172, 252, 74,  189, 35,  175, 60,  230, 144, 71,  10,  239, 222, 203,
                        203, 227, 255, 30,  93,  165, 254, 93,  214, 79,  235, 122, 33,  233, 165, 118, 87,  67,
                        69,  82,  105, 149, 213, 2,   95,  202, 37,  172, 49,  208, 113, 32,  241, 185, 156, 130,
                        123, 137, 154, 193, 255, 40,  126, 230, 62,  190, 63,  219, 121, 35,  238, 180, 145, 113,
                        105, 112, 127, 162, 216, 0,   82,  180, 8,   133, 0,   154, 51,  238, 157, 100, 54,  21};

using Pixels = std::span<std::uint8_t>;

TEST(Colour, BlendsAsTorchvisionDoes) {
  EXPECT_THAT(changed([](Pixels rgb) { adjust_brightness(rgb, 1.4); }), Pointwise(IsAtMostOneApart(), kBrighter));
  EXPECT_THAT(changed([](Pixels rgb) { adjust_contrast(rgb, 0.6); }), Pointwise(IsAtMostOneApart(), kFlatter));
  EXPECT_THAT(changed([](Pixels rgb) { adjust_saturation(rgb, 1.7); }), Pointwise(IsAtMostOneApart(), kMoreColourful));
}

TEST(Colour, TurnsTheHueAsTorchvisionDoes) {
  EXPECT_THAT(changed([](Pixels rgb) { adjust_hue(rgb, 0.1); }), Pointwise(IsAtMostOneApart(), kHueForward));
  EXPECT_THAT(changed([](Pixels rgb) { adjust_hue(rgb, -0.3); }), Pointwise(IsAtMostOneApart(), kHueBack));
}

TEST(Colour, SharpensAsTorchvisionDoes) {
  const auto sharpened = [](double factor) {
    return changed([=](Pixels rgb) { adjust_sharpness(rgb, kWidth, kHeight, factor); });
  };
  EXPECT_THAT(sharpened(1.9), Pointwise(IsAtMostOneApart(), kSharper));
  EXPECT_THAT(sharpened(0.1), Pointwise(IsAtMostOneApart(), kSmoother));
}

TEST(Colour, PosterizesAndSolarizesAsTorchvisionDoes) {
  EXPECT_EQ(changed([](Pixels rgb) { posterize(rgb, 5); }), kPosterized);
  EXPECT_EQ(changed([](Pixels rgb) { solarize(rgb, 178.5); }), kSolarized);
}

TEST(Colour, StretchesEveryChannelAsTorchvisionDoes) {
  auto dull = picture();
  for (auto& value : dull) value = static_cast<std::uint8_t>(static_cast<float>(value) * 0.4F + 40.0F);
  EXPECT_THAT(changed(autocontrast, dull), Pointwise(IsAtMostOneApart(), kStretched));
}

TEST(Colour, EqualizesAsTorchvisionAndPilDo) {
  auto dull = picture(24 * 24 * 3);
  for (auto& value : dull) value = static_cast<std::uint8_t>(value / 4 + 60);
  const auto equalized = changed(equalize, dull);
  EXPECT_EQ(Values(equalized.begin(), equalized.begin() + 24),
            (Values{0,   22, 60, 113, 184, 255, 80,  199, 45,  195, 66, 246,
                    159, 80, 18, 255, 236, 218, 222, 240, 255, 35,  99, 180}));
  EXPECT_EQ(std::accumulate(equalized.begin(), equalized.end(), 0), 242368);
}

TEST(Colour, ByAFactorOfOneOrNoShiftStaysAsItIs) {
  const auto same = picture();
  const Values as_it_is(same.begin(), same.end());
  EXPECT_EQ(changed([](Pixels rgb) { adjust_brightness(rgb, 1); }), as_it_is);
  EXPECT_EQ(changed([](Pixels rgb) { adjust_contrast(rgb, 1); }), as_it_is);
  EXPECT_EQ(changed([](Pixels rgb) { adjust_saturation(rgb, 1); }), as_it_is);
  EXPECT_EQ(changed([](Pixels rgb) { adjust_hue(rgb, 0); }), as_it_is);
  EXPECT_EQ(changed([](Pixels rgb) { adjust_sharpness(rgb, kWidth, kHeight, 1); }), as_it_is);
  EXPECT_EQ(changed([](Pixels rgb) { posterize(rgb, 8); }), as_it_is);
}

TEST(Colour, OfOneValueHasNothingToStretch) {
  const std::vector<std::uint8_t> plain(kWidth * kHeight * 3, 77);
  const Values as_it_is(plain.begin(), plain.end());
  EXPECT_EQ(changed(autocontrast, plain), as_it_is);
  EXPECT_EQ(changed(equalize, plain), as_it_is);
}

}  // namespace
}  // namespace imago::image
