// SPDX-License-Identifier: Apache-2.0
// The loop with a learner of one number, on a clock that moves when the learner works.
#include "train/trainer.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "train/checkpoint.hpp"
#include "train/test_learner.hpp"

namespace imago::train {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using testing::FakeLearner;
using ::testing::HasSubstr;
using testing::Recorder;
using testing::script;

using Trainer = testing::TrainerTest;

void expect_equal(const std::vector<EpochEvent>& a, const std::vector<EpochEvent>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].epoch, b[i].epoch);
    EXPECT_EQ(a[i].loss, b[i].loss);
    EXPECT_EQ(a[i].accuracy, b[i].accuracy);
    EXPECT_EQ(a[i].val_loss, b[i].val_loss);
    EXPECT_EQ(a[i].val_accuracy, b[i].val_accuracy);
    EXPECT_EQ(a[i].learning_rate, b[i].learning_rate);
    EXPECT_EQ(a[i].elapsed, b[i].elapsed);
    EXPECT_EQ(a[i].best, b[i].best);
  }
}

TEST_F(Trainer, CountsEpochsAndStepsAndTellsOfEach) {
  FakeLearner learner(clock_);
  learner.time_per_image = milliseconds(10);
  learner.validation_time_per_image = milliseconds(5);
  Recorder recorder;
  const auto outcome = train_well(learner, recorder);
  EXPECT_EQ(outcome.reason, StopReason::Finished);
  EXPECT_EQ(outcome.epochs_done, 3);
  EXPECT_EQ(outcome.steps, 9);
  EXPECT_EQ(outcome.elapsed, milliseconds(9 * 60 + 3 * 30));
  EXPECT_EQ(learner.validations, 3);
  EXPECT_EQ(learner.initialized_from, testing::kTrainImages);
  expect_equal(outcome.history, recorder.epochs);

  ASSERT_EQ(recorder.steps.size(), 9U);
  for (std::size_t i = 0; i < 9; ++i) {
    const StepEvent& step = recorder.steps[i];
    EXPECT_EQ(step.step, static_cast<std::int64_t>(i) + 1);
    EXPECT_EQ(step.epoch, static_cast<int>(i) / 3 + 1);
    EXPECT_EQ(step.epochs, 3);
    EXPECT_EQ(step.total_steps, 9);
    EXPECT_EQ(step.learning_rate, learner.rates[i]);
    EXPECT_DOUBLE_EQ(step.images_per_second, 100.0);
    EXPECT_DOUBLE_EQ(step.accuracy, 1.0 / 6.0);
  }
  EXPECT_EQ(recorder.steps[2].elapsed, milliseconds(180));
  EXPECT_EQ(recorder.steps[2].remaining, milliseconds(360));
  EXPECT_EQ(recorder.steps[8].remaining, milliseconds(0));
  ASSERT_EQ(recorder.epochs.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(recorder.epochs[i].epoch, static_cast<int>(i) + 1);
    EXPECT_DOUBLE_EQ(recorder.epochs[i].accuracy, 1.0 / 6.0);
    EXPECT_DOUBLE_EQ(recorder.epochs[i].val_accuracy, 0.5);
    EXPECT_EQ(recorder.epochs[i].elapsed, milliseconds((static_cast<int>(i) + 1) * 210));
  }
}

TEST_F(Trainer, GivesTheMeanLossOfAnEpochAndThatOfTheWholeValidationSplit) {
  FakeLearner learner(clock_);
  learner.answer = [](double) { return 2.0; };
  settings_.epochs = 1;
  Recorder recorder;
  const auto outcome = train_well(learner, recorder);
  // Half of the labels are 0, half 1: (log(1 + e^2) + log(1 + e^-2)) / 2.
  EXPECT_NEAR(outcome.history[0].val_loss, (std::log1p(std::exp(2.0)) + std::log1p(std::exp(-2.0))) / 2, 1e-7);
  EXPECT_DOUBLE_EQ(outcome.history[0].loss, (learner.losses[0] + learner.losses[1] + learner.losses[2]) / 3);
}

TEST_F(Trainer, FollowsTheScheduleToItsEnd) {
  FakeLearner learner(clock_);
  Recorder recorder;
  settings_.whitening_bias_epochs = 2;
  train_well(learner, recorder);
  ASSERT_EQ(learner.rates.size(), 9U);
  for (std::size_t i = 0; i < 9; ++i) {
    EXPECT_DOUBLE_EQ(learner.rates[i], learning_rate(settings_.schedule, static_cast<double>(i) / 9, 0)) << i;
  }
  for (std::size_t i = 0; i < 9; ++i)
    EXPECT_EQ(learner.bias_rates[i], i < 6 ? std::optional(learner.rates[i]) : std::nullopt) << i;
}

TEST_F(Trainer, EndsWithTheWeightsOfTheBestEpoch) {
  settings_.epochs = 4;
  for (const bool restore : {true, false}) {
    settings_.restore_best = restore;
    FakeLearner learner(clock_);
    learner.answer = script({3.0, 1.0, 2.0, 1.0});
    Recorder recorder;
    const auto outcome = train_well(learner, recorder);
    EXPECT_EQ(outcome.best_epoch, 2);  // the first of equals
    EXPECT_EQ(outcome.reason, StopReason::Finished);
    EXPECT_EQ(outcome.epochs_done, 4);
    std::vector<bool> best;
    for (const EpochEvent& epoch : outcome.history) best.push_back(epoch.best);
    EXPECT_THAT(best, ElementsAre(true, true, false, false));
    ASSERT_NE(outcome.kept_epoch(), nullptr);
    EXPECT_EQ(outcome.kept_epoch()->epoch, restore ? 2 : 4);

    FakeLearner reference(clock_);
    Recorder stopped;
    stopped.stop_after = restore ? 6 : 12;
    train_well(reference, stopped);
    EXPECT_FLOAT_EQ(static_cast<float>(learner.number), static_cast<float>(reference.number)) << restore;
  }
}

TEST_F(Trainer, LosesPatienceAfterSoManyEpochsWithoutProgress) {
  settings_.epochs = 10;
  settings_.early_stopping_patience = 2;
  FakeLearner learner(clock_);
  learner.answer = script({3.0, 2.0, 2.5, 1.0, 1.0, 1.5, 0.1});
  Recorder recorder;
  const auto outcome = train_well(learner, recorder);
  EXPECT_EQ(outcome.reason, StopReason::EarlyStopping);
  EXPECT_EQ(outcome.epochs_done, 6);
  EXPECT_EQ(outcome.best_epoch, 4);
  EXPECT_EQ(outcome.steps, 18);
}

TEST_F(Trainer, GoesOnAfterAnInterruptionAtAnyStepAsIfThereHadBeenNone) {
  settings_.early_stopping_patience = 5;
  const auto prepare = [](FakeLearner& learner) {
    learner.time_per_image = milliseconds(7);
    learner.validation_time_per_image = milliseconds(3);
  };
  FakeLearner whole(clock_);
  prepare(whole);
  Recorder undisturbed;
  const auto expected = train_well(whole, undisturbed);
  for (std::int64_t stop_after = 1; stop_after < 9; ++stop_after) {
    FakeLearner first(clock_), second(clock_);
    prepare(first);
    prepare(second);
    Recorder before, after;
    before.stop_after = stop_after;
    const auto interrupted = train_well(first, before);
    EXPECT_EQ(interrupted.reason, StopReason::Interrupted);
    EXPECT_EQ(interrupted.steps, stop_after);
    clock_.advance(seconds(3600));  // the machine was off
    const auto outcome = train_well(second, after, true);
    EXPECT_EQ(outcome.reason, StopReason::Finished);
    EXPECT_EQ(second.number, whole.number) << stop_after;
    EXPECT_EQ(second.initialized_from, 0);
    EXPECT_EQ(outcome.steps, 9);
    EXPECT_EQ(outcome.elapsed, expected.elapsed);
    EXPECT_EQ(outcome.best_epoch, expected.best_epoch);
    expect_equal(outcome.history, expected.history);
    ASSERT_EQ(after.steps.size(), static_cast<std::size_t>(9 - stop_after));
    for (std::size_t i = 0; i < after.steps.size(); ++i) {
      EXPECT_EQ(after.steps[i].loss, undisturbed.steps[i + static_cast<std::size_t>(stop_after)].loss);
    }
  }
}

TEST_F(Trainer, EndsWithinAnEpochWhenTheEpochsAreNoWholeNumber) {
  settings_.epochs = 2.4;  // of 3 steps: 7.2, and airbench takes the next whole number
  settings_.lookahead_steps = 100;
  FakeLearner whole(clock_);
  Recorder undisturbed;
  const auto expected = train_well(whole, undisturbed);
  EXPECT_EQ(expected.reason, StopReason::Finished);
  EXPECT_EQ(expected.steps, 8);
  EXPECT_EQ(expected.epochs_done, 3);
  EXPECT_EQ(expected.history.size(), 3U);
  EXPECT_EQ(whole.validations, 3);
  EXPECT_THAT(whole.decays, ElementsAre(1.0));  // at the end
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_DOUBLE_EQ(whole.rates[i], learning_rate(settings_.schedule, static_cast<double>(i) / 8, 0)) << i;
    EXPECT_EQ(undisturbed.steps[i].epochs, 3);
    EXPECT_EQ(undisturbed.steps[i].total_steps, 8);
  }
  for (const std::int64_t stop_after : {3, 6, 7}) {
    FakeLearner first(clock_), second(clock_);
    Recorder before, after;
    before.stop_after = stop_after;
    EXPECT_EQ(train_well(first, before).steps, stop_after);
    const auto outcome = train_well(second, after, true);
    EXPECT_EQ(outcome.steps, 8);
    EXPECT_EQ(second.number, whole.number) << stop_after;
    expect_equal(outcome.history, expected.history);
  }
}

TEST_F(Trainer, TakesTheStepsOfAirbenchsEpochs) {
  // ceil(len(train_loader) * epochs) of legacy/airbench94.py is 476 for 48 batches and 9.9 epochs, here 3 batches.
  const std::vector<std::pair<double, std::int64_t>> steps{
      {9.9, 30}, {0.1, 1}, {1.0 / 3, 1}, {2.0 / 3, 2}, {4.0 / 3, 4}};
  for (const auto& [epochs, expected] : steps) {
    settings_.epochs = epochs;
    FakeLearner learner(clock_);
    Recorder recorder;
    EXPECT_EQ(train_well(learner, recorder).steps, expected) << epochs;
  }
}

TEST_F(Trainer, GoesOnFromTheLastCheckpointAfterACrash) {
  FakeLearner whole(clock_);
  Recorder undisturbed;
  train_well(whole, undisturbed);
  for (const auto every : {seconds(0), seconds(2)}) {
    settings_.checkpoint_every = every;
    FakeLearner first(clock_), second(clock_);
    first.time_per_image = milliseconds(100);  // 0.6 s a step
    first.fail_at = 5;
    Recorder before, after;
    EXPECT_EQ(train(first, before).error().message, "the lights went out");
    EXPECT_EQ(train_well(second, after, true).steps, 9);
    EXPECT_EQ(second.rates.size(), every == seconds(0) ? 4U : 5U);  // from step 5, or from step 4 at 2.4 s
    EXPECT_EQ(second.number, whole.number);
  }
}

TEST_F(Trainer, RemembersTheBestWeightsAcrossAnInterruption) {
  FakeLearner first(clock_), second(clock_);
  first.answer = [](double) { return 0.5; };
  second.answer = [](double) { return 4.0; };
  Recorder before, after;
  before.stop_after = 4;
  train_well(first, before);
  Recorder only_one_epoch;
  FakeLearner reference(clock_);
  const auto outcome = train_well(second, after, true);
  EXPECT_EQ(outcome.best_epoch, 1);
  only_one_epoch.stop_after = 3;
  train_well(reference, only_one_epoch);
  EXPECT_FLOAT_EQ(static_cast<float>(second.number), static_cast<float>(reference.number));
}

TEST_F(Trainer, RefusesToResumeAnotherRun) {
  FakeLearner learner(clock_);
  Recorder recorder;
  EXPECT_EQ(train(learner, recorder, true).error().code, ErrorCode::NotFound);
  recorder.stop_after = 2;
  train_well(learner, recorder);
  Recorder other;
  const auto refused = [&] {
    const auto outcome = train(learner, other, true);
    return outcome ? std::string("resumed") : outcome.error().message;
  };
  const auto settings = settings_;
  settings_.seed = 2;
  EXPECT_THAT(refused(), HasSubstr("belongs to a run with other settings or data"));
  settings_ = settings;
  settings_.schedule.peak *= 2;
  EXPECT_THAT(refused(), HasSubstr("other settings"));
  settings_ = settings;
  settings_.augmentation.cutout = 1;
  EXPECT_THAT(refused(), HasSubstr("other settings"));
  settings_ = settings;
  preprocess_.mean[0] = 0.5F;
  EXPECT_THAT(refused(), HasSubstr("other settings"));
  preprocess_.mean[0] = 0.0F;
  settings_.checkpoint_every = seconds(1);  // does not matter
  EXPECT_EQ(refused(), "resumed");
}

TEST_F(Trainer, EndsWithinItsTimeWhateverTheMachinesSpeed) {
  settings_.epochs = 1000;
  settings_.batch_size = 4;
  settings_.max_time = seconds(60);
  settings_.checkpoint_every = seconds(86'400);
  for (const auto time_per_image : {milliseconds(2), milliseconds(10), milliseconds(50), milliseconds(333),
                                    milliseconds(1000), milliseconds(2500)}) {
    for (const int validation_percent : {10, 33, 66}) {
      FakeLearner learner(clock_);
      learner.time_per_image = time_per_image;
      learner.validation_time_per_image = time_per_image * validation_percent / 100;
      Recorder recorder;
      const auto began = clock_.steady();
      const auto outcome = train_well(learner, recorder);
      const auto took = clock_.steady() - began;
      SCOPED_TRACE(fmt::format("{} ms an image, validation {} %", time_per_image.count(), validation_percent));
      EXPECT_LE(took, settings_.max_time);
      const bool finished = outcome.steps == 5000;
      EXPECT_EQ(outcome.reason, finished ? StopReason::Finished : StopReason::TimeBudget);
      const auto reserve = 3 * (4 * learner.time_per_image + 6 * learner.validation_time_per_image);
      EXPECT_TRUE(finished || took >= settings_.max_time - reserve) << took.count();  // and makes use of it
      ASSERT_FALSE(learner.rates.empty());
      // The schedule was cut to fit: the last step's rate is near the end of the triangle, 0.025.
      const double step_share = static_cast<double>((4 * learner.time_per_image).count()) / 40e9;
      EXPECT_NEAR(learner.rates.back(), 0.025, 0.001 + 0.4 * step_share);
      EXPECT_EQ(recorder.epochs.size(), outcome.history.size());
      EXPECT_EQ(outcome.epochs_done, static_cast<int>(outcome.history.size()));
      for (std::size_t i = 0; i < outcome.history.size(); ++i) {
        EXPECT_EQ(outcome.history[i].epoch, static_cast<int>(i) + 1);
      }
    }
  }
}

TEST_F(Trainer, EndsWithinItsTimeOnAMachineThatSlowsDownByHalf) {
  settings_.epochs = 1000;
  settings_.batch_size = 4;
  settings_.max_time = seconds(60);
  FakeLearner learner(clock_);
  learner.time_per_image = milliseconds(40);
  learner.validation_time_per_image = milliseconds(40);
  const auto began = clock_.steady();
  learner.answer = [&](double x) {
    if (clock_.steady() - began > seconds(30)) {
      learner.time_per_image = learner.validation_time_per_image = milliseconds(80);
    }
    return x;
  };
  Recorder recorder;
  const auto outcome = train_well(learner, recorder);
  EXPECT_EQ(outcome.reason, StopReason::TimeBudget);
  EXPECT_LE(outcome.elapsed, settings_.max_time);
}

TEST_F(Trainer, KeepsItsBudgetOverAnInterruption) {
  settings_.epochs = 1000;
  settings_.batch_size = 4;
  settings_.max_time = seconds(60);
  milliseconds used{0};
  std::int64_t steps = 0;
  for (bool resume = false;; resume = true) {
    FakeLearner learner(clock_);
    learner.time_per_image = milliseconds(100);
    learner.validation_time_per_image = milliseconds(50);
    Recorder recorder;
    recorder.stop_after = steps + 30;
    const auto outcome = train_well(learner, recorder, resume);
    EXPECT_GT(outcome.elapsed, used);
    used = outcome.elapsed;
    steps = outcome.steps;
    if (outcome.reason == StopReason::Interrupted && used < seconds(70)) continue;
    EXPECT_EQ(outcome.reason, StopReason::TimeBudget);
    break;
  }
  EXPECT_LE(used, seconds(60));
  EXPECT_GE(used, seconds(55));
}

TEST_F(Trainer, FailsWhenTheValidationLossIsNoNumber) {
  FakeLearner learner(clock_);
  learner.answer = [](double) { return std::nan(""); };
  Recorder recorder;
  const auto outcome = train(learner, recorder);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::Internal);
  EXPECT_THAT(outcome.error().message, HasSubstr("the validation loss became nan"));
  EXPECT_TRUE(recorder.epochs.empty());
}

TEST_F(Trainer, TrainsOnFewerImagesThanABatch) {
  settings_.batch_size = 64;
  FakeLearner learner(clock_);
  learner.time_per_image = milliseconds(10);
  Recorder recorder;
  EXPECT_EQ(train_well(learner, recorder).steps, 3);
  EXPECT_DOUBLE_EQ(recorder.steps[0].images_per_second, 100.0);
}

TEST_F(Trainer, RefusesSettingsThatCannotBe) {
  FakeLearner learner(clock_);
  Recorder recorder;
  settings_.epochs = 0;
  EXPECT_EQ(train(learner, recorder).error().message, "epochs is 0: train for more than 0");
  settings_.epochs = 1;
  settings_.batch_size = 0;
  EXPECT_EQ(train(learner, recorder).error().message, "batch_size is 0: it must be 1 or more");
}

TEST(StopReasons, HaveNames) {
  EXPECT_EQ(to_string(StopReason::Finished), "finished");
  EXPECT_EQ(to_string(StopReason::TimeBudget), "time_budget");
  EXPECT_EQ(to_string(StopReason::EarlyStopping), "early_stopping");
  EXPECT_EQ(to_string(StopReason::Interrupted), "interrupted");
}

}  // namespace
}  // namespace imago::train
