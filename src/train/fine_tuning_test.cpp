// SPDX-License-Identifier: Apache-2.0
// What the loop does on its way beyond taking steps: it looks ahead, lowers the rate on a plateau, unfreezes a
// backbone.
#include <gmock/gmock.h>

#include <cmath>

#include "base/files.hpp"
#include "model/safetensors.hpp"
#include "train/test_learner.hpp"

namespace imago::train {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::DoubleEq;
using ::testing::ElementsAre;
using testing::FakeLearner;
using testing::Recorder;
using testing::script;

using Loop = testing::TrainerTest;  // 3 epochs of 3 steps

TEST_F(Loop, LooksAheadEverySoManyStepsAndForTheLastTimeAtTheEnd) {
  // airbench: alpha_schedule = 0.95**5 * (torch.arange(total_train_steps+1) / total_train_steps)**3, decay 1 at the end
  settings_.lookahead_steps = 2;
  settings_.lookahead_decay = 0.5;
  FakeLearner learner(clock_);
  Recorder recorder;
  train_well(learner, recorder);
  const auto decay = [](double step) { return DoubleEq(0.25 * std::pow(step / 9.0, 3)); };
  EXPECT_THAT(learner.decays, ElementsAre(decay(2), decay(4), decay(6), decay(8), 1.0));
}

TEST_F(Loop, LooksAheadForTheLastTimeWhenItsTimeIsOver) {
  settings_.lookahead_steps = 1000;
  settings_.max_time = seconds(10);
  FakeLearner learner(clock_);
  learner.time_per_image = milliseconds(400);
  Recorder recorder;
  EXPECT_EQ(train_well(learner, recorder).reason, StopReason::TimeBudget);
  EXPECT_THAT(learner.decays, ElementsAre(1.0));
}

TEST_F(Loop, LowersTheRateOnAPlateauAlsoAcrossAnInterruption) {
  settings_.epochs = 7;
  settings_.schedule = {
      .kind = ScheduleKind::Plateau, .peak = 0.4, .end_factor = 0.2, .step_factor = 0.5, .plateau_patience = 0};
  const std::vector<double> losses{3.0, 2.0, 2.5, 1.0, 1.5, 1.5, 1.5};
  const std::vector<double> rates{0.4, 0.4, 0.4, 0.2, 0.2, 0.1, 0.08};
  const auto expected_from = [&](std::size_t first) {
    std::vector<double> all;
    for (std::size_t step = first; step < 3 * rates.size(); ++step) all.push_back(rates[step / 3]);
    return all;
  };
  FakeLearner whole(clock_);
  whole.answer = script(losses);
  Recorder undisturbed;
  train_well(whole, undisturbed);
  EXPECT_THAT(whole.rates, ::testing::Pointwise(DoubleEq(), expected_from(0)));

  FakeLearner first(clock_), second(clock_);
  first.answer = script(losses);
  second.answer = script({losses.begin() + 4, losses.end()});
  Recorder before, after;
  before.stop_after = 14;  // in the fifth epoch
  train_well(first, before);
  train_well(second, after, true);
  EXPECT_THAT(second.rates, ::testing::Pointwise(DoubleEq(), expected_from(14)));
  EXPECT_EQ(second.number, whole.number);
}

TEST_F(Loop, UnfreezesTheBackboneAfterItsEpochsAndGoesOnAtALowerRate) {
  settings_.schedule = {.kind = ScheduleKind::Constant, .peak = 0.5};
  settings_.unfreeze_epoch = 2;
  settings_.unfreeze_rate_factor = 0.1;
  FakeLearner whole(clock_);
  Recorder undisturbed;
  train_well(whole, undisturbed);
  EXPECT_THAT(whole.rates, ElementsAre(0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.05, 0.05, 0.05));
  EXPECT_FALSE(whole.frozen_backbone);
  for (const std::int64_t stop_after : {2, 6, 7}) {
    FakeLearner first(clock_), second(clock_);
    Recorder before, after;
    before.stop_after = stop_after;
    train_well(first, before);
    EXPECT_EQ(first.frozen_backbone, stop_after < 6) << stop_after;  // after step 6 the third epoch has begun
    train_well(second, after, true);
    EXPECT_FALSE(second.frozen_backbone);
    EXPECT_EQ(second.number, whole.number) << stop_after;
  }
}

TEST_F(Loop, LeavesTheBestAndTheLastWeightsBehind) {
  for (const bool restore : {true, false}) {
    settings_.restore_best = restore;
    FakeLearner learner(clock_);
    learner.answer = script({3.0, 1.0, 2.0});
    Recorder recorder;
    train_well(learner, recorder);
    const auto number = [&](const char* file) {
      return model::read_safetensors(run_folder() / file).value().at("number").data[0];
    };
    EXPECT_NE(number("best.safetensors"), number("last.safetensors"));
    EXPECT_EQ(number(restore ? "best.safetensors" : "last.safetensors"), static_cast<float>(learner.number));
  }
}

}  // namespace
}  // namespace imago::train
