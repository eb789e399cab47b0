// SPDX-License-Identifier: Apache-2.0
#include "image/preprocess.hpp"

#include <gmock/gmock.h>

#include <numeric>

namespace imago::image {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Gray pixels, row by row.
Image gray_image(int width, int height, const std::vector<int>& values) {
  Image image{width, height, {}};
  for (const int value : values) image.rgb.insert(image.rgb.end(), 3, static_cast<std::uint8_t>(value));
  return image;
}

std::vector<int> grays(const Image& image) {
  std::vector<int> values;
  for (std::size_t i = 0; i < image.rgb.size(); i += 3) values.push_back(image.rgb[i]);
  return values;
}

Image resized(Image image, int width, int height, Fit fit = Fit::Stretch) {
  auto out = resize(std::move(image), {.width = width, .height = height, .fit = fit});
  EXPECT_TRUE(out.has_value()) << out.error().message;
  return out ? *out : Image{};
}

TEST(Resize, AveragesAreasWhenShrinking) {
  const auto image = resized(gray_image(4, 2,
                                        {0, 10, 100, 200,  //
                                         20, 30, 100, 200}),
                             2, 1);
  EXPECT_THAT(grays(image), ElementsAre(15, 150));
}

TEST(Resize, InterpolatesBetweenPixelCentresWhenGrowing) {
  // Centres of four pixels over two: at -0.25, 0.25, 0.75, 1.25 of the originals.
  EXPECT_THAT(grays(resized(gray_image(2, 1, {0, 100}), 4, 1)), ElementsAre(0, 25, 75, 100));
}

TEST(Resize, ShrinksOneAxisAndGrowsTheOther) {
  const auto image = resized(gray_image(4, 1, {0, 20, 60, 80}), 2, 2);
  EXPECT_THAT(grays(image), ElementsAre(10, 70, 10, 70));
}

TEST(Resize, CropsTheMiddleToKeepTheAspectRatio) {
  const auto wide = resized(gray_image(4, 2, {9, 1, 2, 9, 9, 3, 4, 9}), 2, 2, Fit::CropCentre);
  EXPECT_THAT(grays(wide), ElementsAre(1, 2, 3, 4));
  const auto tall = resized(gray_image(1, 5, {9, 9, 7, 9, 9}), 1, 1, Fit::CropCentre);
  EXPECT_THAT(grays(tall), ElementsAre(7));
}

TEST(Resize, ReturnsAnImageOfTheRightSizeAsItIs) {
  const auto image = gray_image(2, 2, {1, 2, 3, 4});
  EXPECT_EQ(resized(image, 2, 2).rgb, image.rgb);
}

TEST(Resize, TakesExtremeShapes) {
  EXPECT_EQ(resized(gray_image(5000, 1, std::vector<int>(5000, 77)), 3, 3, Fit::CropCentre).rgb,
            std::vector<std::uint8_t>(27, 77));
  EXPECT_EQ(resized(gray_image(1, 5000, std::vector<int>(5000, 77)), 3, 3).rgb, std::vector<std::uint8_t>(27, 77));
}

TEST(Normalize, IsPixelOver255MinusMeanOverDeviationInPlanes) {
  const Preprocess preprocess{
      .width = 300, .height = 2, .mean = {0.4914F, 0.4822F, 0.4465F}, .stddev = {0.2470F, 0.2435F, 0.2616F}};
  std::vector<std::uint8_t> rgb(300 * 2 * 3);
  for (std::size_t i = 0; i < rgb.size(); ++i) rgb[i] = static_cast<std::uint8_t>(i * 7 % 256);
  std::vector<float> planes(rgb.size());
  normalize(rgb, preprocess, planes);
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t i = 0; i < 600; ++i) {
      const double expected = (rgb[i * 3 + c] / 255.0 - double{preprocess.mean[c]}) / double{preprocess.stddev[c]};
      ASSERT_NEAR(double{planes[c * 600 + i]}, expected, 5e-7);
    }
  }
}

TEST(Normalize, GivesTheSameBitsWhereverThePixelLies) {
  const Preprocess preprocess{.width = 521, .height = 1, .mean = {0.1F, 0.2F, 0.3F}, .stddev = {0.4F, 0.5F, 0.6F}};
  const std::vector<std::uint8_t> rgb(521 * 3, 201);
  std::vector<float> planes(rgb.size());
  normalize(rgb, preprocess, planes);
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t i = 1; i < 521; ++i) ASSERT_EQ(planes[c * 521 + i], planes[c * 521]);
}

TEST(PreprocessJson, ComesBackEqual) {
  const Preprocess preprocess{.width = 224,
                              .height = 192,
                              .fit = Fit::CropCentre,
                              .mean = {0.4914F, 0.1F, -1.0F},
                              .stddev = {0.247F, 1e-3F, 2.0F}};
  const auto back = json::parse(json::dump(to_json(preprocess))).and_then([](const auto& value) {
    return preprocess_from_json(value);
  });
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(*back, preprocess);
}

TEST(PreprocessJson, RefusesBadFieldsByName) {
  const auto message = [](const char* key, json::Value wrong) {
    auto value = to_json(Preprocess{});
    value[key] = std::move(wrong);
    const auto read = preprocess_from_json(value);
    return read ? std::string("accepted") : read.error().message;
  };
  EXPECT_THAT(message("width", 0), HasSubstr("\"width\" is 0"));
  EXPECT_THAT(message("height", 5000), HasSubstr("\"height\" is 5000"));
  EXPECT_THAT(message("fit", "squash"), HasSubstr("squash"));
  EXPECT_THAT(message("mean", json::Value::array({1, 2})), HasSubstr("\"mean\" has 2 numbers"));
  EXPECT_THAT(message("stddev", json::Value::array({1, 0, 1})), HasSubstr("above 0"));
  EXPECT_THAT(message("stddev", json::Value::array({1, 1e300, 1})), HasSubstr("finite"));
}

}  // namespace
}  // namespace imago::image
