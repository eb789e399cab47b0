// SPDX-License-Identifier: Apache-2.0
#include "train/progress.hpp"

#include <gmock/gmock.h>

namespace imago::train {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;

TEST(Progress, SumsAnEpochAndStartsTheNextFromNothing) {
  Progress progress;
  progress.note_step({.loss = 2.0, .correct = 1}, 4);
  progress.note_step({.loss = 1.0, .correct = 3}, 4);
  EXPECT_EQ(progress.batch, 2);
  const auto first = progress.close_epoch({.loss = 1.5, .accuracy = 0.5}, 0.1, milliseconds(70));
  EXPECT_EQ(first.epoch, 1);
  EXPECT_EQ(first.loss, 1.5);
  EXPECT_EQ(first.accuracy, 0.5);
  EXPECT_EQ(first.learning_rate, 0.1);
  EXPECT_TRUE(first.best);
  EXPECT_EQ(progress.batch, 0);
  progress.note_step({.loss = 0.5, .correct = 4}, 4);
  const auto second = progress.close_epoch({.loss = 1.5, .accuracy = 0.75}, 0.1, milliseconds(90));
  EXPECT_EQ(second.loss, 0.5);
  EXPECT_EQ(second.accuracy, 1.0);
  EXPECT_FALSE(second.best);  // the first of equals
  EXPECT_EQ(progress.steps, 3);
  EXPECT_EQ(progress.best_epoch, 1);
  EXPECT_EQ(progress.epochs_since_best(), 1);
  EXPECT_THAT(progress.validation_losses(), ElementsAre(1.5, 1.5));
}

TEST(Progress, ShowsMeansThatMoveSlowlyFromTheFirstStepOn) {
  Progress progress;
  progress.note_step({.loss = 3.0, .correct = 2}, 4);
  EXPECT_EQ(progress.recent_loss, 3.0);
  EXPECT_EQ(progress.recent_accuracy, 0.5);
  progress.note_step({.loss = 2.0, .correct = 4}, 4);
  EXPECT_DOUBLE_EQ(progress.recent_loss, 3.0 - 0.02);
  EXPECT_DOUBLE_EQ(progress.recent_accuracy, 0.5 + 0.02 * 0.5);
}

}  // namespace
}  // namespace imago::train
