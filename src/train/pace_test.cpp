// SPDX-License-Identifier: Apache-2.0
#include "train/pace.hpp"

#include <gtest/gtest.h>

namespace imago::train {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Pace, GoesByStepsWithoutABudget) {
  const Pace pace(200, seconds(0), 10.0);
  EXPECT_DOUBLE_EQ(pace.progress(0, seconds(0)), 0.0);
  EXPECT_DOUBLE_EQ(pace.progress(50, seconds(3600)), 0.25);
  EXPECT_DOUBLE_EQ(pace.progress(300, seconds(1)), 1.0);
  EXPECT_FALSE(pace.out_of_time(seconds(1'000'000)));
  EXPECT_EQ(pace.expected_steps(50, seconds(1)), 200);
  EXPECT_EQ(pace.remaining(50, seconds(10)), seconds(30));
}

TEST(Pace, GoesByTimeWhenThatRunsOutFirst) {
  Pace pace(1000, seconds(100), 0.0);
  pace.note_step(seconds(1));
  pace.note_validation(seconds(9));  // twice the two are set aside: 80 s are left for training
  EXPECT_DOUBLE_EQ(pace.progress(40, seconds(40)), 0.5);
  EXPECT_EQ(pace.expected_steps(40, seconds(40)), 80);
  EXPECT_EQ(pace.remaining(40, seconds(40)), seconds(40));
  EXPECT_FALSE(pace.out_of_time(milliseconds(79'999)));
  EXPECT_TRUE(pace.out_of_time(seconds(80)));
  EXPECT_DOUBLE_EQ(pace.progress(80, seconds(90)), 1.0);
}

TEST(Pace, GuessesTheFirstValidationFromTheStepsItIsWorth) {
  Pace pace(1000, seconds(100), 9.0);
  pace.note_step(seconds(1));
  EXPECT_FALSE(pace.out_of_time(milliseconds(79'999)));
  EXPECT_TRUE(pace.out_of_time(seconds(80)));
}

TEST(Pace, StopsAtOnceWhenTheLastValidationAloneTakesTheBudget) {
  Pace pace(1000, seconds(10), 0.0);
  EXPECT_FALSE(pace.out_of_time(seconds(0)));  // nothing is known yet
  pace.note_validation(seconds(5));
  EXPECT_TRUE(pace.out_of_time(seconds(0)));
  EXPECT_DOUBLE_EQ(pace.progress(1, seconds(0)), 1.0);
}

TEST(Pace, SmoothsTheTimeOfAStep) {
  Pace pace(10, seconds(0), 0.0);
  pace.note_step(milliseconds(100));
  EXPECT_EQ(pace.step_time(), milliseconds(100));
  pace.note_step(milliseconds(260));
  EXPECT_EQ(pace.step_time(), milliseconds(110));
}

}  // namespace
}  // namespace imago::train
