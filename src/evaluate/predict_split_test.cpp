// SPDX-License-Identifier: Apache-2.0
// predict_split on a split that lies in a real repository.
#include <gmock/gmock.h>

#include "evaluate/metrics.hpp"
#include "image/encode.hpp"

namespace imago::evaluate {
namespace {

constexpr int kImages = 260;  // two batches, the second of four
const image::Preprocess kPreprocess{.width = 3, .height = 2, .mean = {0.5F, 0.5F, 0.5F}, .stddev = {0.5F, 0.25F, 1.0F}};

/// Logits (first value of the red plane, first of the blue): which image it was, and that it was normalised.
class FirstPixel final : public model::Classifier {
 public:
  [[nodiscard]] int classes() const override { return 2; }
  Result<model::Logits> classify(const image::ImageBatch& batch) override {
    sizes.push_back(batch.n);
    if (batch.n == fail_at) return fail(ErrorCode::Unavailable, "the engine is gone");
    model::Logits logits{batch.n, 2, {}};
    for (int i = 0; i < batch.n; ++i) {
      const auto item = batch.item(i);
      logits.data.insert(logits.data.end(), {item[0], item[item.size() * 2 / 3]});
    }
    if (forget) logits.n -= 1;
    return logits;
  }
  std::vector<int> sizes;
  int fail_at = 0;
  bool forget = false;
};

class PredictSplit : public testing::Test {
 protected:
  void SetUp() override {
    auto made = TemporaryDirectory::create(fs::temp_directory_path(), "evaluate-test");
    ASSERT_TRUE(made) << made.error().message;
    folder_.emplace(std::move(*made));
    data::Repository repository(folder_->path());
    data::Manifest manifest{"tiny", {"a", "b"}, {}, ""};
    for (int i = 0; i < kImages; ++i) {
      image::Image picture{3, 2, std::vector<std::uint8_t>(18)};
      picture.rgb[0] = static_cast<std::uint8_t>(i % 256);
      picture.rgb[2] = static_cast<std::uint8_t>(i / 2);
      const auto object = repository.put_object(image::encode_png(picture).value()).value();
      manifest.entries.push_back({fmt::format("{:03}.png", i), object, i % 2, data::Split::Test, 3, 2, ""});
    }
    auto opened = data::open_packed(repository, manifest, data::Split::Test, kPreprocess, {});
    ASSERT_TRUE(opened) << opened.error().message;
    split_.emplace(std::move(*opened));
  }
  std::optional<TemporaryDirectory> folder_;
  std::optional<data::PackedSplit> split_;
  FirstPixel classifier_;
};

TEST_F(PredictSplit, GivesTheLogitsOfEveryImageInOrderInBatchesOf256) {
  std::vector<std::size_t> progress;
  const auto logits = predict_split(classifier_, *split_, kPreprocess, [&](std::size_t done, std::size_t total) {
    EXPECT_EQ(total, std::size_t{kImages});
    progress.push_back(done);
  });
  ASSERT_TRUE(logits) << logits.error().message;
  EXPECT_THAT(classifier_.sizes, testing::ElementsAre(256, 4));
  EXPECT_THAT(progress, testing::ElementsAre(256U, 260U));
  ASSERT_EQ(logits->n, kImages);
  for (int i = 0; i < kImages; ++i) {
    // (pixel / 255 - mean) / stddev, by hand.
    EXPECT_NEAR(logits->row(i)[0], (static_cast<float>(i % 256) / 255.0F - 0.5F) / 0.5F, 1e-6F);
    EXPECT_NEAR(logits->row(i)[1], static_cast<float>(i / 2) / 255.0F - 0.5F, 1e-6F);
  }
}

TEST_F(PredictSplit, RefusesASplitOfAnotherSizeThanTheModelTakes) {
  auto other = kPreprocess;
  other.width = 4;
  const auto logits = predict_split(classifier_, *split_, other, {});
  ASSERT_FALSE(logits);
  EXPECT_EQ(logits.error().code, ErrorCode::InvalidArgument);
  EXPECT_TRUE(classifier_.sizes.empty());
}

TEST_F(PredictSplit, StopsAtTheFirstBatchThatFails) {
  classifier_.fail_at = 256;
  const auto logits = predict_split(classifier_, *split_, kPreprocess, {});
  ASSERT_FALSE(logits);
  EXPECT_EQ(logits.error().message, "the engine is gone");
  EXPECT_EQ(classifier_.sizes.size(), 1U);
}

TEST_F(PredictSplit, RefusesAnAnswerThatLeavesAnImageOut) {
  classifier_.forget = true;
  EXPECT_EQ(predict_split(classifier_, *split_, kPreprocess, {}).error().code, ErrorCode::Internal);
}

}  // namespace
}  // namespace imago::evaluate
