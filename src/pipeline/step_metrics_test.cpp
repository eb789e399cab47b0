// SPDX-License-Identifier: Apache-2.0
#include "pipeline/step_metrics.hpp"

#include <gmock/gmock.h>

namespace imago::pipeline {
namespace {

json::Value step(int number, double cpu_seconds) {
  return {{"event", "step"},
          {"step", number},
          {"loss", 1.5},
          {"accuracy", 0.5},
          {"learning_rate", 0.1},
          {"images_per_second", 900.0},
          {"system", {{"cpu_seconds", cpu_seconds}, {"memory_megabytes", 300.0}}}};
}

TEST(StepSampler, NamesWhatItKeepsAndTurnsCpuTimeIntoAShareOfACore) {
  FakeClock clock;
  StepSampler sampler;
  const auto first = sampler.take(step(1, 5.0), clock.steady());
  ASSERT_TRUE(first.has_value()) << "a run of two seconds has a step too";
  EXPECT_EQ(first->step, 1);
  EXPECT_EQ(first->values.at("step/loss"), 1.5);
  EXPECT_EQ(first->values.at("system/memory_megabytes"), 300.0);
  EXPECT_FALSE(first->values.contains("system/cpu_percent")) << "there is no time before it to divide by";

  clock.advance(std::chrono::seconds(2));
  const auto second = sampler.take(step(30, 8.0), clock.steady());
  ASSERT_TRUE(second.has_value());
  EXPECT_DOUBLE_EQ(second->values.at("system/cpu_percent"), 150.0);
  EXPECT_FALSE(second->values.contains("system/cpu_seconds"));
}

TEST(StepSampler, KeepsOneASecondAtFirstAndThousandsInADay) {
  FakeClock clock;
  StepSampler sampler;
  const auto event = step(1, 0.0);
  const auto steps = [&](int seconds) {
    int kept = 0;
    for (int i = 0; i < seconds * 10; ++i) {
      if (sampler.take(event, clock.steady())) ++kept;
      clock.advance(std::chrono::milliseconds(100));
    }
    return kept;
  };
  EXPECT_EQ(steps(60), 60);
  EXPECT_NEAR(steps(86'400), 600 + 600 * 5, 300) << "600 in ten minutes, then 600 ln(144) = 2,982";
}

TEST(StepSampler, TakesAnEventWithoutAWordOnTheSystem) {
  StepSampler sampler;
  const auto sample = sampler.take({{"event", "step"}, {"step", 3}, {"loss", nullptr}}, FakeClock().steady());
  ASSERT_TRUE(sample.has_value());
  EXPECT_TRUE(sample->values.empty());
}

}  // namespace
}  // namespace imago::pipeline
