// SPDX-License-Identifier: Apache-2.0
// Rates against those of torch.optim.lr_scheduler, PyTorch 2.15.0, and numpy.interp. A run of n + 1 rates there is
// progress 0, 1/n, ... 1 here.
#include "train/schedule.hpp"

#include <gmock/gmock.h>

namespace imago::train {
namespace {

using ::testing::HasSubstr;

void expect_rates(const ScheduleSettings& settings, const std::vector<double>& expected) {
  const double last = static_cast<double>(expected.size() - 1);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(learning_rate(settings, static_cast<double>(i) / last, 0), expected[i], 1e-9) << "rate " << i;
  }
}

TEST(Schedule, OneCycleIsPyTorchs) {
  // OneCycleLR(max_lr=0.1, total_steps=11, pct_start=4/11, div_factor=25, final_div_factor=1e4): it peaks at rate 3.
  expect_rates({.kind = ScheduleKind::OneCycle,
                .peak = 0.1,
                .start_factor = 1.0 / 25,
                .end_factor = 1.0 / 25e4,
                .warmup_share = 0.3},
               {0.004, 0.028, 0.076, 0.1, 0.0950484632, 0.08117456539, 0.06112620219, 0.03887419781, 0.01882583461,
                0.004951936799, 4e-07});
}

TEST(Schedule, CosineIsPyTorchs) {
  // CosineAnnealingLR(T_max=10, eta_min=0.002)
  expect_rates({.kind = ScheduleKind::Cosine, .peak = 0.2, .end_factor = 0.01},
               {0.2, 0.1951545951, 0.1810926824, 0.15919074, 0.1315926824, 0.101, 0.07040731756, 0.04280926002,
                0.02090731756, 0.006845404887, 0.002});
}

TEST(Schedule, CosineAfterALinearWarmUpIsPyTorchs) {
  // SequentialLR([LinearLR(0.1, 1, 4), CosineAnnealingLR(T_max=6, eta_min=0.03)], milestones=[4])
  expect_rates({.kind = ScheduleKind::Cosine, .peak = 0.3, .start_factor = 0.1, .end_factor = 0.1, .warmup_share = 0.4},
               {0.03, 0.0975, 0.165, 0.2325, 0.3, 0.2819134295, 0.2325, 0.165, 0.0975, 0.04808657049, 0.03});
}

TEST(Schedule, ConstantAfterALinearWarmUpIsPyTorchs) {
  // LinearLR(start_factor=0.1, end_factor=1, total_iters=4)
  expect_rates({.kind = ScheduleKind::Constant, .peak = 0.3, .start_factor = 0.1, .warmup_share = 0.8},
               {0.03, 0.0975, 0.165, 0.2325, 0.3, 0.3});
}

TEST(Schedule, TriangleIsAirbenchs) {
  // 0.75 * numpy.interp(range(11), [0, 4, 10], [0.2, 1, 0.07])
  expect_rates(
      {.kind = ScheduleKind::Triangle, .peak = 0.75, .start_factor = 0.2, .end_factor = 0.07, .warmup_share = 0.4},
      {0.15, 0.3, 0.45, 0.6, 0.75, 0.63375, 0.5175, 0.40125, 0.285, 0.16875, 0.0525});
}

TEST(Schedule, StepFallsByEpochsAsPyTorchs) {
  // StepLR(step_size=2, gamma=0.5)
  const ScheduleSettings settings{.kind = ScheduleKind::Step, .peak = 0.4, .step_epochs = 2, .step_factor = 0.5};
  const std::vector<double> expected{0.4, 0.4, 0.2, 0.2, 0.1, 0.1, 0.05};
  for (std::size_t epoch = 0; epoch < expected.size(); ++epoch) {
    const int drops = rate_drops(settings, std::vector<double>(epoch, 1.0));
    EXPECT_DOUBLE_EQ(learning_rate(settings, 0.9, drops), expected[epoch]);
  }
}

TEST(Schedule, PlateauFallsWhenTheLossStandsStillAsPyTorchs) {
  // ReduceLROnPlateau(factor=0.5, patience=2, threshold=0.1, min_lr=0.03)
  const ScheduleSettings settings{.kind = ScheduleKind::Plateau,
                                  .peak = 0.4,
                                  .end_factor = 0.075,
                                  .step_factor = 0.5,
                                  .plateau_patience = 2,
                                  .plateau_threshold = 0.1};
  const std::vector<double> losses{2.0,  1.0, 0.95, 0.91, 0.905, 0.5, 0.6, 0.7, 0.8, 0.9, 0.55,
                                   0.49, 0.1, 0.1,  0.1,  0.1,   0.1, 0.1, 0.1, 0.1, 0.1};
  const std::vector<double> expected{0.4, 0.4,  0.4,  0.4,  0.4,  0.2,  0.2,  0.2,  0.2,  0.1,  0.1,
                                     0.1, 0.05, 0.05, 0.05, 0.05, 0.03, 0.03, 0.03, 0.03, 0.03, 0.03};
  for (std::size_t epoch = 0; epoch < expected.size(); ++epoch) {
    const int drops = rate_drops(settings, std::span(losses).first(epoch));
    EXPECT_DOUBLE_EQ(learning_rate(settings, 0.5, drops), expected[epoch]) << "after " << epoch;
  }
}

TEST(Schedule, ConstantIsConstant) {
  expect_rates({.kind = ScheduleKind::Constant, .peak = 0.02}, {0.02, 0.02, 0.02, 0.02});
}

TEST(Schedule, StaysWithinItsEndsOutsideTheRunAndWithAWarmUpOfTheWholeRun) {
  const ScheduleSettings triangle{
      .kind = ScheduleKind::Triangle, .peak = 1.0, .start_factor = 0.5, .end_factor = 0.25, .warmup_share = 1.0};
  EXPECT_DOUBLE_EQ(learning_rate(triangle, -1.0, 0), 0.5);
  EXPECT_DOUBLE_EQ(learning_rate(triangle, 0.5, 0), 0.75);
  EXPECT_DOUBLE_EQ(learning_rate(triangle, 1.0, 0), 1.0);
  EXPECT_DOUBLE_EQ(learning_rate({.kind = ScheduleKind::Cosine, .peak = 1.0, .end_factor = 0.25}, 7.0, 0), 0.25);
}

TEST(Schedule, HasANameForEveryKindAndNoOther) {
  for (const auto kind : {ScheduleKind::Constant, ScheduleKind::Step, ScheduleKind::Cosine, ScheduleKind::OneCycle,
                          ScheduleKind::Triangle, ScheduleKind::Plateau}) {
    EXPECT_EQ(schedule_kind_from(to_string(kind)).value(), kind);
  }
  EXPECT_EQ(to_string(ScheduleKind::OneCycle), "one-cycle");
  EXPECT_THAT(schedule_kind_from("onecycle").error().message,
              HasSubstr("no schedule 'onecycle': there are constant, step, cosine, one-cycle, triangle and plateau"));
}

}  // namespace
}  // namespace imago::train
