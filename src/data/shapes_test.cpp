// SPDX-License-Identifier: Apache-2.0
#include "data/shapes.hpp"

#include <gmock/gmock.h>

#include "base/rng.hpp"
#include "data/test_data.hpp"

namespace imago::data {
namespace {

using Colour = std::array<double, 3>;

Colour mean_colour(const image::Image& image) {
  Colour mean{};
  for (std::size_t i = 0; i < image.rgb.size(); ++i) mean[i % 3] += image.rgb[i] / static_cast<double>(image.pixels());
  return mean;
}

double distance(const Colour& a, const Colour& b) {
  double sum = 0;
  for (std::size_t c = 0; c < 3; ++c) sum += (a[c] - b[c]) * (a[c] - b[c]);
  return sum;
}

TEST(Shapes, AreDrawnTheSameForTheSameSeed) {
  EXPECT_EQ(draw_shape(7, 32, 5).rgb, draw_shape(7, 32, 5).rgb);
  EXPECT_NE(draw_shape(7, 32, 5).rgb, draw_shape(7, 32, 6).rgb);
  EXPECT_NE(draw_shape(7, 32, 5).rgb, draw_shape(6, 32, 5).rgb);
}

TEST(Shapes, CannotBeToldByTheirMeanColour) {
  std::array<Colour, 10> means{};
  constexpr int kEach = 100;
  for (int label = 0; label < 10; ++label) {
    for (int i = 0; i < kEach; ++i) {
      const auto colour = mean_colour(draw_shape(
          label, 16, Rng::for_item(1, static_cast<std::uint64_t>(label), static_cast<std::uint64_t>(i)).next()));
      for (std::size_t c = 0; c < 3; ++c) means[static_cast<std::size_t>(label)][c] += colour[c] / kEach;
    }
  }
  int right = 0;
  for (int label = 0; label < 10; ++label) {
    for (int i = 0; i < kEach; ++i) {
      const auto colour = mean_colour(draw_shape(
          label, 16, Rng::for_item(2, static_cast<std::uint64_t>(label), static_cast<std::uint64_t>(i)).next()));
      const auto nearest = std::min_element(means.begin(), means.end(), [&](const auto& a, const auto& b) {
        return distance(a, colour) < distance(b, colour);
      });
      right += nearest - means.begin() == label ? 1 : 0;
    }
  }
  EXPECT_LT(right, 200) << "of 1000; chance is 100";
}

class ShapesImport : public testing::FolderTest {};

TEST_F(ShapesImport, PublishesABalancedDataSetTheSameEveryTime) {
  Repository repository(folder());
  const ShapesRequest request{.train = 200, .test = 50, .side = 16};
  const auto report = generate_shapes(repository, request, {}, nullptr);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->kept, 250U);
  EXPECT_EQ(report->counts.at(Split::Train), std::vector<std::size_t>(10, 18));
  EXPECT_EQ(report->counts.at(Split::Validation), std::vector<std::size_t>(10, 2));
  EXPECT_EQ(report->counts.at(Split::Test), std::vector<std::size_t>(10, 5));
  EXPECT_FALSE(report->was_there);
  const auto again = generate_shapes(repository, request, {}, nullptr);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->version, report->version);
  EXPECT_TRUE(again->was_there);
}

TEST_F(ShapesImport, StopsWhenAskedAndRefusesSizesOutOfRange) {
  Repository repository(folder());
  const std::atomic<bool> stop{true};
  EXPECT_EQ(generate_shapes(repository, {}, {}, &stop).error().code, ErrorCode::Cancelled);
  EXPECT_EQ(generate_shapes(repository, {.train = 5}, {}, nullptr).error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(generate_shapes(repository, {.side = 8}, {}, nullptr).error().code, ErrorCode::InvalidArgument);
}

}  // namespace
}  // namespace imago::data
