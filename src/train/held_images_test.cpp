// SPDX-License-Identifier: Apache-2.0
// Training with a learner that holds the images: batches that name them are those that bring their pixels.
#include <gmock/gmock.h>

#include <optional>

#include "train/test_learner.hpp"

namespace imago::train {
namespace {

using ::testing::ElementsAre;
using testing::FakeLearner;
using ::testing::IsEmpty;
using testing::Recorder;

/// Holds the images when their augmentation is one that it could carry out.
class HoldingLearner final : public nn::Learner {
 public:
  explicit HoldingLearner(FakeClock& clock) : learner(clock) {}

  Result<nn::Holding> hold(const data::PackedSplit& images, const image::Preprocess& preprocess,
                           const data::Augmentation& augmentation) override {
    images_ = images;
    preprocess_ = preprocess;
    holds_ = data::only_places(augmentation);
    return nn::Holding{holds_, holds_ ? "held" : "not held"};
  }

  Result<nn::StepReport> step(const nn::Batch& batch, const nn::StepOptions& options) override {
    EXPECT_EQ(batch.images.data.empty(), holds_);
    if (!holds_) return learner.step(batch, options);
    nn::Batch made{batch.images, batch.labels};
    std::vector<std::size_t> indices;
    for (const nn::Pick& pick : batch.picks) indices.push_back(pick.image);
    made.images = load_images(*images_, preprocess_, indices);  // of one red all over, which is all that is learned
    return learner.step(made, options);
  }

  [[nodiscard]] int classes() const override { return learner.classes(); }
  Result<model::Logits> classify(const image::ImageBatch& batch) override { return learner.classify(batch); }
  Result<void> initialize_from(const image::ImageBatch& images) override { return learner.initialize_from(images); }
  Result<void> look_ahead(double decay) override { return learner.look_ahead(decay); }
  Result<void> unfreeze() override { return learner.unfreeze(); }
  [[nodiscard]] Result<model::Weights> weights() const override { return learner.weights(); }
  Result<void> set_weights(const model::Weights& weights, bool partly_random) override {
    return learner.set_weights(weights, partly_random);
  }
  [[nodiscard]] Result<std::string> save_state() const override { return learner.save_state(); }
  Result<void> load_state(std::string_view state) override { return learner.load_state(state); }

  FakeLearner learner;

 private:
  bool holds_ = false;
  std::optional<data::PackedSplit> images_;
  image::Preprocess preprocess_;
};

class Held : public testing::TrainerTest {
 protected:
  Held() { settings_.augmentation = {.flip = data::Flip::Alternating, .crop_padding = 2, .cutout = 1}; }

  void train_holding(HoldingLearner& learner, Recorder& recorder, bool resume = false) {
    const auto outcome = fit(learner, {train_, validation_, preprocess_}, settings_, folder() / "held", resume,
                             recorder.stop, recorder, clock_);
    EXPECT_TRUE(outcome) << outcome.error().message;
  }
};

TEST_F(Held, ImagesComeInTheSameBatchesAlsoAcrossAnInterruption) {
  FakeLearner plain(clock_);
  Recorder all;
  train_well(plain, all);
  for (std::int64_t stop_after = 1; stop_after < 9; stop_after += 3) {
    HoldingLearner first(clock_), second(clock_);
    Recorder before, after;
    before.stop_after = stop_after;
    train_holding(first, before);
    train_holding(second, after, true);
    EXPECT_EQ(second.learner.number, plain.number) << stop_after;
    EXPECT_THAT(before.notes, ElementsAre("held"));
  }
  EXPECT_THAT(all.notes, IsEmpty());
}

TEST_F(Held, ImagesOfAReplayAreThoseOfTheSubset) {
  train_ = train_.subset(std::vector<std::size_t>{1, 2, 3, 5, 8, 13, 19});
  FakeLearner plain(clock_);
  HoldingLearner holding(clock_);
  Recorder one, other;
  train_well(plain, one);
  train_holding(holding, other);
  EXPECT_EQ(holding.learner.number, plain.number);
}

TEST_F(Held, ImagesThatAreChangedOtherwiseComeWithTheirPixels) {
  settings_.augmentation.brightness = 0.5;
  FakeLearner plain(clock_);
  HoldingLearner holding(clock_);
  Recorder one, other;
  train_well(plain, one);
  train_holding(holding, other);
  EXPECT_EQ(holding.learner.number, plain.number);
  EXPECT_THAT(other.notes, ElementsAre("not held"));
}

TEST_F(Held, PicksOfEveryWorkerAreItsPartOfTheBatchWithWhatTheLoaderWouldHaveDrawn) {
  constexpr int kEpoch = 3;
  const auto order = epoch_order(train_.size(), settings_.seed, kEpoch);
  for (const int ranks : {1, 2, 3}) {
    for (int rank = 0; rank < ranks; ++rank) {
      BatchLoader loader(train_, preprocess_,
                         {.batch_size = 7,
                          .seed = settings_.seed,
                          .augmentation = settings_.augmentation,
                          .threads = 2,
                          .rank = rank,
                          .ranks = ranks,
                          .picks = true},
                         kEpoch, 1);
      const auto batch = loader.next();
      ASSERT_TRUE(batch);
      const Slice slice = slice_of(7, rank, ranks);
      ASSERT_EQ(batch->picks.size(), slice.size);
      EXPECT_TRUE(batch->images.data.empty());
      EXPECT_EQ(batch->images.n, static_cast<int>(slice.size));
      for (std::size_t i = 0; i < slice.size; ++i) {
        const std::size_t index = order[7 + slice.begin + i];  // of the second batch
        EXPECT_EQ(batch->picks[i].image, index);
        EXPECT_EQ(batch->labels[i], train_.label(index));
        EXPECT_EQ(batch->picks[i].placement, data::place(settings_.augmentation, 4, 4, settings_.seed, kEpoch, index));
      }
      EXPECT_FALSE(loader.next());
    }
  }
}

}  // namespace
}  // namespace imago::train
