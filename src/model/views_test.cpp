// SPDX-License-Identifier: Apache-2.0
// Against infer_mirror and infer_mirror_translate of airbench94.py, run with torch 2.15.0 on 3 x 4 images; its padding
// is also numpy.pad(mode="reflect")'s.
#include "model/views.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <numeric>

namespace imago::model {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::HasSubstr;
using ::testing::Pointwise;

/// 24 numbers as two images of one channel.
image::ImageBatch two_images(std::vector<float> data) {
  return {.n = 2, .channels = 1, .height = 3, .width = 4, .data = std::move(data)};
}

image::ImageBatch counted() {
  std::vector<float> data(24);
  std::iota(data.begin(), data.end(), 0.0F);
  return two_images(std::move(data));
}

/// Two logits, each a weighted sum of the pixels.
class Linear final : public Classifier {
 public:
  [[nodiscard]] int classes() const override { return 2; }
  Result<Logits> classify(const image::ImageBatch& batch) override {
    ++calls;
    Logits logits{batch.n, 2, {}};
    for (int i = 0; i < batch.n; ++i) {
      float first = 0.0F, second = 0.0F;
      for (int k = 0; k < 12; ++k) {
        const float pixel = batch.item(i)[static_cast<std::size_t>(k)];
        first += pixel * (static_cast<float>(k * 7 % 11) * 0.125F - 0.5F);
        second += pixel * (static_cast<float>(k * 5 % 13) * 0.25F - 1.0F);
      }
      logits.data.insert(logits.data.end(), {first, second});
    }
    return logits;
  }
  int calls = 0;
};

TEST(Views, MirrorLeftToRight) {
  EXPECT_THAT(mirrored(counted()).data,
              ElementsAre(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12, 19, 18, 17, 16, 23, 22, 21, 20));
}

TEST(Views, MoveAndReflectAtTheBorderAsTorchAndNumpyPad) {
  // F.pad(x, (1,) * 4, "reflect")[:, :, 0:3, 0:4] and [:, :, 2:5, 2:6]
  EXPECT_THAT(moved(counted(), 1, 1).data,
              ElementsAre(5, 4, 5, 6, 1, 0, 1, 2, 5, 4, 5, 6, 17, 16, 17, 18, 13, 12, 13, 14, 17, 16, 17, 18));
  EXPECT_THAT(moved(counted(), -1, -1).data,
              ElementsAre(5, 6, 7, 6, 9, 10, 11, 10, 5, 6, 7, 6, 17, 18, 19, 18, 21, 22, 23, 22, 17, 18, 19, 18));
  EXPECT_EQ(moved(counted(), 0, 0).data, counted().data);
}

TEST(Views, AverageLogitsAsAirbenchDoes) {
  std::vector<float> data;
  for (int i = 0; i < 24; ++i) data.push_back(static_cast<float>(std::sin(0.7 * i)));
  const auto batch = two_images(std::move(data));
  struct Case {
    Views views;
    int calls;
    std::vector<float> logits;
  };
  for (const Case& tested : {Case{Views::None, 1, {0.0207567F, 0.9137746F, -0.6647176F, -1.7124974F}},
                             Case{Views::Flip, 2, {-0.0266766F, -0.5116966F, -0.1557257F, 0.0714479F}},
                             Case{Views::Multi, 6, {0.2176487F, 0.7214245F, 0.0325917F, 0.5030415F}}}) {
    Linear linear;
    ManyViews classifier(linear, tested.views);
    const auto logits = classifier.classify(batch);
    ASSERT_TRUE(logits) << logits.error().message;
    EXPECT_EQ(logits->n, 2);
    EXPECT_EQ(logits->classes, classifier.classes());
    EXPECT_THAT(logits->data, Pointwise(FloatNear(1e-6F), tested.logits)) << to_string(tested.views);
    EXPECT_EQ(linear.calls, tested.calls);
  }
}

TEST(Views, PassOnWhatTheClassifierRefuses) {
  const auto refused = mean_over_views(counted(), Views::Flip, [](const image::ImageBatch&) -> Result<Logits> {
    return fail(ErrorCode::InvalidArgument, "too small");
  });
  EXPECT_THAT(refused.error().message, HasSubstr("too small"));
  Linear linear;
  const image::ImageBatch row{.n = 1, .channels = 1, .height = 1, .width = 12, .data = std::vector<float>(12)};
  EXPECT_THAT(ManyViews(linear, Views::Multi).classify(row).error().message, HasSubstr("12 x 1 have no views"));
}

TEST(Views, HaveNames) {
  for (const auto views : {Views::None, Views::Flip, Views::Multi})
    EXPECT_EQ(views_from(to_string(views)).value(), views);
  EXPECT_THAT(views_from("ten").error().message, HasSubstr("no views 'ten': there are none, flip and multi"));
}

}  // namespace
}  // namespace imago::model
