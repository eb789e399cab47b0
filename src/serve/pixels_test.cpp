// SPDX-License-Identifier: Apache-2.0
#include "serve/pixels.hpp"

#include <gmock/gmock.h>

namespace imago::serve {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr image::Preprocess kModel{.width = 2, .height = 1};

Result<image::Image> read(std::string_view text, Layout layout = Layout::Auto, Range range = Range::Auto) {
  return image_from_numbers(text, layout, range, kModel);
}

TEST(Pixels, TakesAFlatRowAsHwcAndFindsTheRange) {
  const auto bytes = read("[0, 128, 255, 1, 2, 3]");
  ASSERT_TRUE(bytes.has_value()) << bytes.error().message;
  EXPECT_EQ(bytes->width, 2);
  EXPECT_EQ(bytes->height, 1);
  EXPECT_THAT(bytes->rgb, ElementsAre(0, 128, 255, 1, 2, 3));
  EXPECT_THAT(read("[0, 0.5, 1.0, 0.2, 0.4, 0.6]")->rgb, ElementsAre(0, 128, 255, 51, 102, 153));
}

TEST(Pixels, GivesBackEveryByteThatWasDividedBy255) {
  for (int value = 0; value < 256; ++value) {
    const auto image =
        read(fmt::format("[{0}, 0, 0, 0, 0, 0]", static_cast<float>(value) / 255.0F), Layout::Auto, Range::Unit);
    ASSERT_TRUE(image.has_value());
    EXPECT_EQ(image->rgb[0], value);
    // As numpy prints with six digits.
    EXPECT_EQ(read(fmt::format("[{:.6f}, 0, 0, 0, 0, 0]", value / 255.0), Layout::Auto, Range::Unit)->rgb[0], value);
  }
}

TEST(Pixels, LetsTheRangeBeSaid) {
  EXPECT_THAT(read("[0, 1, 1, 0, 0, 1]", Layout::Auto, Range::Byte)->rgb, ElementsAre(0, 1, 1, 0, 0, 1));
  EXPECT_THAT(read("[0, 1, 1, 0, 0, 1]")->rgb, ElementsAre(0, 255, 255, 0, 0, 255));
}

TEST(Pixels, TurnsChannelsFirstRound) {
  EXPECT_THAT(read("[10, 20, 30, 40, 50, 60]", Layout::Chw)->rgb, ElementsAre(10, 30, 50, 20, 40, 60));
  EXPECT_THAT(read("[[[10, 20]], [[30, 40]], [[50, 60]]]")->rgb, ElementsAre(10, 30, 50, 20, 40, 60));
}

TEST(Pixels, TakesNestedImagesOfAnySize) {
  const auto image = read("[[[1,2,3]],[[4,5,6]],[[7,8,9]],[[10,11,12]]]");
  ASSERT_TRUE(image.has_value()) << image.error().message;
  EXPECT_EQ(image->width, 1);
  EXPECT_EQ(image->height, 4);
  EXPECT_EQ(image->rgb[9], 10);
  EXPECT_EQ(read("[[[[1,2,3],[4,5,6]]]]")->width, 2);  // a batch of one
}

TEST(Pixels, PrefersHwcWhereBothFitUnlessTold) {
  const auto* square =
      "[[[1,2,3],[4,5,6],[7,8,9]],[[11,12,13],[14,15,16],[17,18,19]],[[21,22,23],[24,25,26],[27,28,29]]]";
  EXPECT_EQ(read(square)->rgb[1], 2);
  EXPECT_EQ(read(square, Layout::Chw)->rgb[1], 11);
}

TEST(Pixels, TakesTheSeeds32x32WhateverTheModel) {
  std::string text = "[7";
  for (int i = 1; i < 3072; ++i) text += ",9";
  const auto image = read(text + "]");
  ASSERT_TRUE(image.has_value()) << image.error().message;
  EXPECT_EQ(image->width, 32);
}

TEST(Pixels, NamesTheLengthOrShapeExpected) {
  EXPECT_EQ(read("[1, 2, 3]").error().message, "'image' has 3 numbers, expected 6 (1 x 2 x 3)");
  EXPECT_EQ(read("[]").error().message, "'image' has 0 numbers, expected 6 (1 x 2 x 3)");
  EXPECT_THAT(read("[[1,2,3],[4,5,6]]").error().message, HasSubstr("shape [2, 3], expected [1, 2, 3] or [3, 1, 2]"));
  EXPECT_THAT(read("[[[1,2]],[[3,4]]]").error().message, HasSubstr("shape [2, 1, 2]"));
  EXPECT_THAT(read("[[[1,2,3]]]", Layout::Chw).error().message, HasSubstr("shape [1, 1, 3]"));
  EXPECT_FALSE(read("[[[]],[[]],[[]]]").has_value());
}

TEST(Pixels, NamesAValueOutOfRange) {
  EXPECT_THAT(read("[0, 256, 0, 0, 0, 0]").error().message, HasSubstr("256, outside of 0 to 255"));
  EXPECT_THAT(read("[-0.5, 0.2, 0, 0, 0, 0]").error().message, HasSubstr("-0.5, outside of 0 to 1"));
  EXPECT_THAT(read("[2, 0, 0, 0, 0, 0]", Layout::Auto, Range::Unit).error().message, HasSubstr("2, outside of 0 to 1"));
}

TEST(Pixels, KnowsTheNamesOfLayoutsAndRanges) {
  EXPECT_EQ(layout_from("").value(), Layout::Auto);
  EXPECT_EQ(layout_from("CHW").value(), Layout::Chw);
  EXPECT_THAT(layout_from("whc").error().message, HasSubstr("'whc'"));
  EXPECT_EQ(range_from("0-1").value(), Range::Unit);
  EXPECT_EQ(range_from("255").value(), Range::Byte);
  EXPECT_THAT(range_from("0-2").error().message, HasSubstr("'0-2'"));
}

}  // namespace
}  // namespace imago::serve
