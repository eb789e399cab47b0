// SPDX-License-Identifier: Apache-2.0
#include "evaluate/predictions.hpp"

#include <gmock/gmock.h>

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

TEST_F(PredictSplit, TimesEveryCallOfAnotherClassifier) {
  FakeClock clock;
  class Slow final : public model::Classifier {
   public:
    explicit Slow(FakeClock& clock) : clock_(clock) {}
    [[nodiscard]] int classes() const override { return 2; }
    Result<model::Logits> classify(const image::ImageBatch& batch) override {
      clock_.advance(std::chrono::milliseconds(batch.n));
      return model::Logits{batch.n, 2, std::vector<float>(static_cast<std::size_t>(batch.n) * 2)};
    }

   private:
    FakeClock& clock_;
  } slow(clock);
  Stopwatch stopwatch(slow, clock);
  ASSERT_TRUE(predict_split(stopwatch, *split_, kPreprocess, {}));
  const auto latency = stopwatch.latency();
  EXPECT_EQ(latency.calls, 2);
  EXPECT_EQ(latency.images_per_call, 256);
  EXPECT_DOUBLE_EQ(latency.p50_ms, 4.0);
  EXPECT_DOUBLE_EQ(latency.p99_ms, 256.0);
  EXPECT_DOUBLE_EQ(latency.images_per_second, 1000.0);
  const auto single = time_single_images(slow, *split_, kPreprocess, 100, clock).value();
  EXPECT_EQ(single.calls, 100);
  EXPECT_EQ(single.images_per_call, 1);
  EXPECT_DOUBLE_EQ(single.mean_ms, 1.0);
}

TEST(Summarize, TakesTheSmallestValueThatSoManyAreNotAbove) {
  std::vector<double> times;
  for (int i = 200; i >= 1; --i) times.push_back(i);
  const auto latency = summarize(times, 200, 1);
  EXPECT_DOUBLE_EQ(latency.p50_ms, 100.0);
  EXPECT_DOUBLE_EQ(latency.p99_ms, 198.0);
  EXPECT_DOUBLE_EQ(latency.mean_ms, 100.5);
  EXPECT_EQ(summarize({}, 0, 0).calls, 0);
}

TEST(WorstErrors, AreThoseThatTheClassifierWasSurestOf) {
  // Right; wrong by a little; wrong and sure of it.
  const model::Logits logits{3, 2, {3.0F, 0.0F, 0.5F, 0.0F, 0.0F, 4.0F}};
  const auto answers = answers_of(logits, std::vector{0, 1, 0}, std::vector<std::size_t>{7, 8, 9}, 1.0);
  EXPECT_TRUE(answers[0].right());
  EXPECT_EQ(answers[2].entry, 9U);
  EXPECT_NEAR(answers[2].confidence, 0.98201379, 1e-8);
  EXPECT_NEAR(answers[2].truth_probability, 0.01798621, 1e-8);
  EXPECT_THAT(worst_errors(answers, 10), testing::ElementsAre(2U, 1U));
  EXPECT_THAT(worst_errors(answers, 1), testing::ElementsAre(2U));
}

}  // namespace
}  // namespace imago::evaluate
