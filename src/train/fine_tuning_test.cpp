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

TEST_F(Loop, LowersTheRateOfTheWhiteningBiasToZeroOverItsEpochsAsAirbenchsMuonDoes) {
  // airbench94_muon.py: lr * (1 - step / whiten_bias_train_steps), all else lr * (1 - step / total_train_steps)
  settings_.schedule = {.kind = ScheduleKind::Triangle, .peak = 0.24, .end_factor = 0.0, .warmup_share = 0.0};
  settings_.whitening_bias_epochs = 2;
  settings_.whitening_bias_to_zero = true;
  const auto check = [](const FakeLearner& learner, std::size_t first) {
    ASSERT_EQ(learner.bias_rates.size(), 9 - first);
    for (std::size_t i = 0; i < learner.bias_rates.size(); ++i) {
      const double step = static_cast<double>(first + i);
      EXPECT_DOUBLE_EQ(learner.rates[i], 0.24 * (1.0 - step / 9.0));
      ASSERT_EQ(learner.bias_rates[i].has_value(), step < 6) << step;
      EXPECT_DOUBLE_EQ(learner.bias_rates[i].value_or(0.0), step < 6 ? 0.24 * (1.0 - step / 6.0) : 0.0);
    }
  };
  FakeLearner whole(clock_), first(clock_), second(clock_);
  Recorder undisturbed, before, after;
  train_well(whole, undisturbed);
  check(whole, 0);
  before.stop_after = 4;
  train_well(first, before);
  train_well(second, after, true);
  check(second, 4);
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

/// Convolution, BatchNorm and ReLU below, a linear layer after dropout above.
std::unique_ptr<nn::Learner> frozen_network() {
  model::Graph graph{"frozen", {3, 4, 4}, {}};
  graph.then("conv", model::Conv2d{.out_channels = 4, .padding = model::Padding::same(3)});
  graph.then("bn", model::BatchNorm2d{});
  graph.then("relu", model::Activate{});
  graph.then("pool", model::GlobalAveragePool{});
  graph.then("dropout", model::Dropout{0.3F});
  graph.then("fc", model::Linear{2});
  nn::LearnerSettings settings;
  settings.freeze_backbone = true;
  settings.ema_decay = 0.9;
  settings.threads = 1;
  return nn::make_learner(graph, settings).value();
}

/// Keeps the checkpoint that is there when a step has been taken, before the one that follows the step.
struct Keeper final : Observer {
  Keeper(fs::path checkpoint, std::int64_t after) : file(std::move(checkpoint)), step(after) {}
  void on_step(const StepEvent& event) override {
    if (event.step == step) kept = read_file(file).value();
  }
  fs::path file;
  std::int64_t step;
  std::string kept;
};

TEST_F(Loop, GoesOnToTheBitFromACheckpointWrittenAsTheBackboneThaws) {
  settings_.unfreeze_epoch = 1;
  settings_.restore_best = false;
  settings_.checkpoint_every = seconds(0);  // after every step, and after every epoch
  const std::atomic<bool> stop = false;
  const auto run = [&](nn::Learner& learner, bool resume, Observer& observer) {
    const auto outcome =
        fit(learner, {train_, validation_, preprocess_}, settings_, run_folder(), resume, stop, observer, clock_);
    ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_EQ(outcome->steps, 9);
    EXPECT_EQ(outcome->history.size(), 3U);
  };
  for (const std::int64_t step : {3, 4, 5}) {  // one before the epoch's end, at its end, and after
    const auto whole = frozen_network();
    const auto start = whole->weights().value();
    Keeper keeper(run_folder() / "checkpoint.bin", step);
    run(*whole, false, keeper);
    EXPECT_NE(whole->weights()->at("conv.weight"), start.at("conv.weight"));

    ASSERT_TRUE(write_file_atomic(run_folder() / "checkpoint.bin", keeper.kept));
    const auto resumed = frozen_network();
    Observer nobody;
    run(*resumed, true, nobody);
    EXPECT_EQ(resumed->weights().value(), whole->weights().value()) << "before step " << step;
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
