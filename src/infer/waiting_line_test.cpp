// SPDX-License-Identifier: Apache-2.0
#include "infer/waiting_line.hpp"

#include <gmock/gmock.h>

namespace imago::infer {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;

constexpr SteadyTime kStart{seconds(1000)};
constexpr auto kNever = SteadyTime::max();

/// An image that is told apart by its only number.
Waiting image(float number, milliseconds after = milliseconds(0), Priority priority = Priority::Normal,
              SteadyTime deadline = kNever) {
  return {.image = {number}, .queued = kStart + after, .deadline = deadline, .priority = priority, .done = {}};
}

std::vector<float> numbers(const std::vector<Waiting>& items) {
  std::vector<float> found;
  for (const auto& item : items) found.push_back(item.image.front());
  return found;
}

std::vector<float> order_of(WaitingLine& line) { return numbers(line.take(100, kStart).batch); }

TEST(WaitingLine, ServesInOrderOfArrival) {
  WaitingLine line(10);
  for (int i = 0; i < 4; ++i) line.push(image(static_cast<float>(i), milliseconds(i)));
  EXPECT_THAT(numbers(line.take(3, kStart).batch), ElementsAre(0, 1, 2));
  EXPECT_EQ(line.size(), 1U);
  EXPECT_THAT(numbers(line.take(3, kStart).batch), ElementsAre(3));
  EXPECT_THAT(line.take(3, kStart).batch, testing::IsEmpty());
}

TEST(WaitingLine, ServesHigherPrioritiesFirst) {
  WaitingLine line(10);
  line.push(image(3, milliseconds(0), Priority::Low));
  line.push(image(2, milliseconds(1), Priority::Normal));
  line.push(image(1, milliseconds(2), Priority::High));
  line.push(image(1.5, milliseconds(3), Priority::High));
  EXPECT_THAT(order_of(line), ElementsAre(1, 1.5, 2, 3));
}

TEST(WaitingLine, LetsALowOneBeOvertakenForTwoSecondsOnly) {
  WaitingLine line(10);
  line.push(image(0, milliseconds(0), Priority::Low));
  line.push(image(1, milliseconds(999), Priority::Normal));
  line.push(image(2, milliseconds(1001), Priority::Normal));
  line.push(image(3, milliseconds(1999), Priority::High));
  line.push(image(4, milliseconds(2001), Priority::High));
  EXPECT_THAT(order_of(line), ElementsAre(3, 1, 0, 4, 2)) << "and of two that are equal by now the higher is first";
}

TEST(WaitingLine, NeverLetsTheLowStarveUnderAnEndlessStreamOfHighOnes) {
  WaitingLine line(1000);
  line.push(image(-1, milliseconds(0), Priority::Low));
  // Ten high images come every 10 ms, ten are computed in the same time: the line is never empty of them.
  for (int i = 0; i < 10; ++i) line.push(image(1, milliseconds(0), Priority::High));
  for (int tick = 1; tick < 300; ++tick) {
    for (int i = 0; i < 10; ++i) line.push(image(1, milliseconds(10 * tick), Priority::High));
    for (const float number : numbers(line.take(10, kStart).batch)) {
      if (number < 0) {
        EXPECT_NEAR(tick * 10, 2000, 20);
        return;
      }
    }
  }
  FAIL() << "the low image was never taken";
}

TEST(WaitingLine, GivesThePlaceOfTheLastAndLowestToOneThatIsHigher) {
  WaitingLine line(3);
  EXPECT_FALSE(line.push(image(1, milliseconds(0), Priority::Low)));
  EXPECT_FALSE(line.push(image(2, milliseconds(1), Priority::Low)));
  EXPECT_FALSE(line.push(image(3, milliseconds(2), Priority::Normal)));
  EXPECT_FALSE(line.admits(Priority::Low));
  ASSERT_TRUE(line.admits(Priority::Normal));
  EXPECT_EQ(line.push(image(4, milliseconds(3), Priority::Normal))->image.front(), 2);
  EXPECT_EQ(line.push(image(5, milliseconds(4), Priority::High))->image.front(), 1);
  EXPECT_FALSE(line.admits(Priority::Normal));
  EXPECT_EQ(line.push(image(6, milliseconds(5), Priority::High))->image.front(), 4);
  EXPECT_EQ(line.push(image(7, milliseconds(6), Priority::High))->image.front(), 3);
  EXPECT_FALSE(line.admits(Priority::High));
  EXPECT_THAT(order_of(line), ElementsAre(5, 6, 7));
}

TEST(WaitingLine, FillsABatchPastThoseThatExpired) {
  WaitingLine line(10);
  const auto late = kStart + milliseconds(5);
  for (const float number : {0.0F, 1.0F, 2.0F}) line.push(image(number, milliseconds(0), Priority::Normal, late));
  for (const float number : {3.0F, 4.0F, 5.0F}) line.push(image(number));
  line.push(image(6, milliseconds(0), Priority::Normal, late));
  const auto taken = line.take(2, late + microseconds(1));
  EXPECT_THAT(numbers(taken.expired), ElementsAre(0, 1, 2));
  EXPECT_THAT(numbers(taken.batch), ElementsAre(3, 4));
  EXPECT_THAT(numbers(line.take(2, late).batch), ElementsAre(5, 6)) << "at its deadline an image is not late yet";
}

TEST(WaitingLine, HasPatienceFromTheFirstArrivalButNotBeyondHalfOfADeadline) {
  WaitingLine line(10);
  EXPECT_EQ(line.patience_ends(milliseconds(4)), kNever);
  line.push(image(0, milliseconds(10)));
  line.push(image(1, milliseconds(12)));
  EXPECT_EQ(line.patience_ends(milliseconds(4)), kStart + milliseconds(14));
  line.push(image(2, milliseconds(12), Priority::Low, kStart + milliseconds(14)));
  EXPECT_EQ(line.patience_ends(milliseconds(4)), kStart + milliseconds(13));
}

}  // namespace
}  // namespace imago::infer
