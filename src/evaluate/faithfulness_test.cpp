// SPDX-License-Identifier: Apache-2.0
#include "evaluate/faithfulness.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

namespace imago::evaluate {
namespace {

using ::testing::HasSubstr;

constexpr int kWidth = 5, kHeight = 4;  // a pixel a step
constexpr std::size_t kPixels = 20;

/// Rows of 1 and -1 by turns: no pixel is 0, and a blur leaves none as it is.
image::ImageBatch chequered() {
  image::ImageBatch image{.n = 1, .channels = 3, .height = kHeight, .width = kWidth, .data = {}};
  for (std::size_t i = 0; i < 3 * kPixels; ++i) image.data.push_back(i % 2 == 0 ? 1.0F : -1.0F);
  return image;
}

/// Class 1 has 0.1, and 0.5 for the first and 0.3 for the second pixel where they are the chequered image's.
class KnowsTwoPixels final : public model::Classifier {
 public:
  [[nodiscard]] int classes() const override { return 2; }

  Result<model::Logits> classify(const image::ImageBatch& batch) override {
    const auto whole = chequered();
    model::Logits logits{.n = batch.n, .classes = 2, .data = {}};
    for (int i = 0; i < batch.n; ++i) {
      const auto is_there = [&](std::size_t pixel) {
        return batch.item(i)[pixel] == whole.data[pixel] &&
                       batch.item(i)[kPixels + pixel] == whole.data[kPixels + pixel]
                   ? 1.0
                   : 0.0;
      };
      const double p = 0.1 + 0.5 * is_there(0) + 0.3 * is_there(1);
      logits.data.insert(logits.data.end(), {0.0F, static_cast<float>(std::log(p / (1.0 - p)))});
    }
    return logits;
  }
};

/// 1 at the first pixel, a little less at each that follows.
image::Heatmap right_map() {
  image::Heatmap map{kWidth, kHeight, {}};
  for (std::size_t i = 0; i < kPixels; ++i) map.values.push_back(1.0F - static_cast<float>(i) / kPixels);
  return map;
}

image::Heatmap reversed(image::Heatmap map) {
  std::ranges::reverse(map.values);
  return map;
}

Faithfulness measured(const image::Heatmap& map, int class_index = 1) {
  KnowsTwoPixels classifier;
  const auto areas = measure_faithfulness(classifier, chequered(), map, class_index);
  EXPECT_TRUE(areas) << areas.error().message;
  return areas.value().value();
}

TEST(AreaUnder, IsTheTrapezoids) {
  EXPECT_DOUBLE_EQ(area_under(std::vector{0.5, 0.5}), 0.5);
  EXPECT_DOUBLE_EQ(area_under(std::vector{1.0, 0.0}), 0.5);
  EXPECT_DOUBLE_EQ(area_under(std::vector{0.8, 0.2, 0.0}), 0.3);              // (0.4 + 0.2 + 0) / 2
  EXPECT_DOUBLE_EQ(area_under(std::vector{0.1, 0.6, 0.9, 0.9, 0.5}), 0.675);  // (0.3 + 2.4) / 4
}

TEST(Faithfulness, IsTheAreaWhilePixelsGoAndComeInTheMapsOrder) {
  const auto right = measured(right_map());
  EXPECT_NEAR(right.deletion, 0.135, 1e-6);   // 0.9 0.4 0.1 ...: (0.5 + 0.4 + 18 * 0.1) / 20
  EXPECT_NEAR(right.insertion, 0.865, 1e-6);  // 0.1 0.6 0.9 ...: (0.5 + 0.6 + 18 * 0.9) / 20
  const auto other = measured(right_map(), 0);
  EXPECT_NEAR(other.deletion, 0.865, 1e-6);  // the other class has the rest
}

TEST(Faithfulness, CatchesAMapThatIsUpsideDown) {
  const auto wrong = measured(reversed(right_map()));
  EXPECT_NEAR(wrong.deletion, 0.865, 1e-6);   // 0.9 ... 0.6 0.1: (0.5 + 18 * 0.9 + 0.6) / 20
  EXPECT_NEAR(wrong.insertion, 0.135, 1e-6);  // 0.1 ... 0.4 0.9
}

TEST(Faithfulness, TakesEqualPixelsInTheirOwnOrder) {
  const auto flat = measured({1, 1, {1.0F}});
  EXPECT_NEAR(flat.deletion, 0.135, 1e-6);
}

TEST(Faithfulness, IsNoneOfAMapThatSaysNothing) {
  KnowsTwoPixels classifier;
  EXPECT_EQ(measure_faithfulness(classifier, chequered(), {2, 2, {0, 0, 0, 0}}, 1).value(), std::nullopt);
}

TEST(Faithfulness, RefusesWhatIsNoMapOrClass) {
  KnowsTwoPixels classifier;
  EXPECT_THAT(measure_faithfulness(classifier, chequered(), {2, 2, {0, 1}}, 1).error().message, HasSubstr("heat map"));
  EXPECT_THAT(measure_faithfulness(classifier, chequered(), right_map(), 2).error().message, HasSubstr("2 classes"));
}

}  // namespace
}  // namespace imago::evaluate
