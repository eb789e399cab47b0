// SPDX-License-Identifier: Apache-2.0
#include "load/find_rate.hpp"

#include <gmock/gmock.h>

#include <cmath>

namespace imago::load {
namespace {

// M/M/1: time in the system is exponential with rate mu - lambda, so its 99th percentile is ln(100) / (mu - lambda).
// With mu = 1000/s it is 50 ms at lambda = 1000 - ln(100) / 0.05 = 907.9/s.
Result<RateTrial> queue(double rate) {
  const double p99_ms = rate >= 1000.0 ? 1e9 : 1000.0 * std::log(100.0) / (1000.0 - rate);
  return RateTrial{rate, p99_ms, p99_ms <= 50.0};
}

TEST(FindRate, FindsWhereTheQueueOfOneServerReachesTheTarget) {
  const auto found = find_rate(1000.0, 0.02, queue).value();
  EXPECT_LE(found.rate, 907.9);
  EXPECT_GE(found.rate, 907.9 - 0.02 * 1000.0);
  EXPECT_LE(found.trials.size(), 7U);
  EXPECT_FALSE(found.trials.front().held);
}

TEST(FindRate, StopsAtTheMostWhenThatIsHeld) {
  const auto found = find_rate(500.0, 0.02, queue).value();
  EXPECT_EQ(found.rate, 500.0);
  EXPECT_EQ(found.trials.size(), 1U);
}

TEST(FindRate, GivesNoneWhenNothingIsHeld) {
  const auto found = find_rate(100.0, 0.02, [](double rate) {
    return Result<RateTrial>(RateTrial{rate, 99.0, false});
  });
  EXPECT_EQ(found.value().rate, 0.0);
  EXPECT_EQ(found.value().trials.size(), 7U);
}

TEST(FindRate, EndsWithTheFirstError) {
  const auto found =
      find_rate(100.0, 0.02, [](double) -> Result<RateTrial> { return fail(ErrorCode::Unavailable, "gone"); });
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().message, "gone");
}

}  // namespace
}  // namespace imago::load
