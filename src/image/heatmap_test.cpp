// SPDX-License-Identifier: Apache-2.0
#include "image/heatmap.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace imago::image {
namespace {

using ::testing::HasSubstr;

/// The ends of Google's Turbo colour map (Mikhailov, 2019).
constexpr std::array<int, 3> kCold{48, 18, 59};
constexpr std::array<int, 3> kHot{122, 4, 3};

Image plain(int width, int height, std::uint8_t value) {
  Image image{width, height, {}};
  image.rgb.assign(image.pixels() * 3, value);
  return image;
}

std::array<int, 3> pixel(const Image& image, int x, int y) {
  const auto at =
      (static_cast<std::size_t>(y) * static_cast<std::size_t>(image.width) + static_cast<std::size_t>(x)) * 3;
  return {image.rgb[at], image.rgb[at + 1], image.rgb[at + 2]};
}

void expect_near(const std::array<int, 3>& found, const std::array<int, 3>& expected) {
  for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(found[c], expected[c], 3) << "channel " << c;
}

TEST(Heatmap, ColoursTheHotRedAndTheColdBlue) {
  const auto drawn = overlay(plain(300, 400, 255), {2, 1, {0.0F, 1.0F}}, {.opacity = 1.0});
  ASSERT_TRUE(drawn) << drawn.error().message;
  EXPECT_EQ(drawn->width, 300);
  EXPECT_EQ(drawn->height, 400);
  expect_near(pixel(*drawn, 0, 0), kCold);
  expect_near(pixel(*drawn, 70, 399), kCold);
  expect_near(pixel(*drawn, 299, 200), kHot);
}

TEST(Heatmap, LetsTheImageThroughByItsOpacity) {
  const auto half = overlay(plain(300, 300, 100), {1, 1, {1.0F}});
  expect_near(pixel(*half, 10, 10), {(100 + kHot[0]) / 2, (100 + kHot[1]) / 2, (100 + kHot[2]) / 2});
  const auto none = overlay(plain(300, 300, 100), {1, 1, {1.0F}}, {.opacity = 0.0});
  EXPECT_EQ(none->rgb, plain(300, 300, 100).rgb);
}

TEST(Heatmap, EnlargesSmallImagesAndShrinksLargeOnes) {
  const auto small = overlay(plain(32, 32, 9), {3, 3, std::vector<float>(9, 0.5F)});
  EXPECT_EQ(small->width, 256);
  EXPECT_EQ(small->height, 256);
  const auto large = overlay(plain(3000, 1500, 9), {3, 3, std::vector<float>(9, 0.5F)});
  EXPECT_EQ(large->width, 1024);
  EXPECT_EQ(large->height, 512);
  const auto strip = overlay(plain(5000, 1, 9), {1, 1, {0.5F}});
  EXPECT_EQ(strip->width, 1024);
  EXPECT_EQ(strip->height, 1);
}

TEST(Heatmap, RefusesValuesThatAreNoHeat) {
  const auto image = plain(4, 4, 0);
  EXPECT_THAT(overlay(image, {2, 2, {0.0F}}).error().message, HasSubstr("2 x 2 with 1 values"));
  EXPECT_FALSE(overlay(image, {0, 0, {}}));
  EXPECT_FALSE(overlay(image, {-1, -1, {0.0F}}));
  for (const float value : {-0.1F, 1.5F, std::numeric_limits<float>::quiet_NaN()})
    EXPECT_THAT(overlay(image, {1, 1, {value}}).error().message, HasSubstr("not in [0, 1]"));
}

TEST(Heatmap, LiesOverWhatTheModelSees) {
  Image image = plain(6, 2, 0);
  for (std::size_t i = 0; i < image.rgb.size(); ++i) image.rgb[i] = static_cast<std::uint8_t>(i / 3 % 6);  // the column
  const Preprocess crop{.width = 8, .height = 8, .fit = Fit::CropCentre};
  const auto seen = visible_part(image, crop);
  EXPECT_EQ(seen.width, 2);
  EXPECT_EQ(seen.height, 2);
  EXPECT_EQ(pixel(seen, 0, 1)[0], 2);
  EXPECT_EQ(visible_part(image, {.width = 8, .height = 8}).width, 6);
}

TEST(Heatmap, StretchesBetweenTheMiddlesOfItsCells) {
  const auto map = stretched({2, 1, {0.0F, 1.0F}}, 4, 2);  // middles of the cells at 0.5 and 2.5 of four pixels
  ASSERT_TRUE(map) << map.error().message;
  EXPECT_THAT(*map, testing::ElementsAre(0.0F, 0.25F, 0.75F, 1.0F, 0.0F, 0.25F, 0.75F, 1.0F));
  EXPECT_FALSE(stretched({2, 1, {0.0F}}, 4, 2));
}

TEST(Blur, KeepsWhatIsEvenAndSpreadsAPointOverItsPlaneAlone) {
  ImageBatch point{.n = 1, .channels = 2, .height = 9, .width = 9, .data = std::vector<float>(162, 0.0F)};
  point.data[40] = 1.0F;
  std::fill(point.data.begin() + 81, point.data.end(), 3.0F);
  const auto soft = blurred(point, 1.0);
  ASSERT_TRUE(soft) << soft.error().message;
  double sum = 0.0;
  for (std::size_t i = 0; i < 81; ++i) sum += soft->data[i];
  EXPECT_NEAR(sum, 1.0, 1e-3);                                         // what the border reflects comes twice
  EXPECT_NEAR(soft->data[41] / soft->data[40], std::exp(-0.5), 1e-5);  // a pixel aside: exp(-1 / 2)
  for (std::size_t i = 81; i < 162; ++i) EXPECT_NEAR(soft->data[i], 3.0F, 1e-5);
  EXPECT_FALSE(blurred(point, 0.0));
}

}  // namespace
}  // namespace imago::image
