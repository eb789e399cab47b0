// SPDX-License-Identifier: Apache-2.0
#include "access/rate_limit.hpp"

#include <gmock/gmock.h>

namespace imago::access {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Address address(int number) { return parse_address(fmt::format("203.0.{}.{}", number / 256, number % 256)).value(); }

TEST(RateLimiter, GrantsTheLimitAtOnceAndThenAtItsRate) {
  RateLimiter limiter;
  constexpr int kRate = 60;
  FakeClock clock;
  for (int i = 0; i < 60; ++i) {
    const auto allowance = limiter.take(address(1), kRate, clock.steady());
    EXPECT_TRUE(allowance.granted);
    EXPECT_EQ(allowance.limit, 60);
    EXPECT_EQ(allowance.remaining, 59 - i);
    EXPECT_EQ(allowance.reset_seconds, i + 1);
  }
  const auto refused = limiter.take(address(1), kRate, clock.steady());
  EXPECT_FALSE(refused.granted);
  EXPECT_EQ(refused.remaining, 0);
  EXPECT_EQ(refused.retry_seconds, 1);
  EXPECT_EQ(refused.reset_seconds, 60);
  clock.advance(milliseconds(999));
  EXPECT_FALSE(limiter.take(address(1), kRate, clock.steady()).granted);
  clock.advance(milliseconds(2));
  EXPECT_TRUE(limiter.take(address(1), kRate, clock.steady()).granted);
  EXPECT_FALSE(limiter.take(address(1), kRate, clock.steady()).granted);
}

TEST(RateLimiter, TellsHowLongToWait) {
  RateLimiter limiter;  // one in 30 s
  constexpr int kRate = 2;
  FakeClock clock;
  EXPECT_EQ(limiter.take(address(1), kRate, clock.steady()).retry_seconds, 0);
  const auto last = limiter.take(address(1), kRate, clock.steady());
  EXPECT_TRUE(last.granted);
  EXPECT_EQ(last.retry_seconds, 30);
  clock.advance(seconds(29));
  EXPECT_EQ(limiter.take(address(1), kRate, clock.steady()).retry_seconds, 1);
}

TEST(RateLimiter, HoldsNoMoreThanTheLimitHoweverLongAClientIsQuiet) {
  RateLimiter limiter;
  constexpr int kRate = 3;
  FakeClock clock;
  limiter.take(address(1), kRate, clock.steady());
  clock.advance(std::chrono::hours(1));
  int granted = 0;
  for (int i = 0; i < 10; ++i) granted += limiter.take(address(1), kRate, clock.steady()).granted ? 1 : 0;
  EXPECT_EQ(granted, 3);
}

TEST(RateLimiter, CountsEachClientByItself) {
  RateLimiter limiter;
  constexpr int kRate = 1;
  FakeClock clock;
  EXPECT_TRUE(limiter.take(address(1), kRate, clock.steady()).granted);
  EXPECT_FALSE(limiter.take(address(1), kRate, clock.steady()).granted);
  EXPECT_TRUE(limiter.take(address(2), kRate, clock.steady()).granted);
}

TEST(RateLimiter, ForgetsTheClientNotSeenForLongest) {
  RateLimiter limiter(3);
  constexpr int kRate = 1;
  FakeClock clock;
  for (const int number : {1, 2, 3, 1, 4}) limiter.take(address(number), kRate, clock.steady());
  EXPECT_EQ(limiter.clients(), 3U);
  EXPECT_FALSE(limiter.take(address(1), kRate, clock.steady()).granted);  // seen again: kept
  EXPECT_TRUE(limiter.take(address(2), kRate, clock.steady()).granted);
  for (int number = 0; number < 1000; ++number) limiter.take(address(number), kRate, clock.steady());
  EXPECT_EQ(limiter.clients(), 3U);
}

TEST(RateLimiter, TakesAKeyForNoAddress) {
  RateLimiter limiter;
  FakeClock clock;
  EXPECT_TRUE(limiter.take(client_of_key("3fa9c1d2"), 1, clock.steady()).granted);
  EXPECT_FALSE(limiter.take(client_of_key("3fa9c1d2"), 1, clock.steady()).granted);
  EXPECT_TRUE(limiter.take(client_of_key("3fa9c1d3"), 1, clock.steady()).granted);
  for (const auto* text : {"::1", "2001:db8::3fa9:c1d2", "255.255.255.255"})
    EXPECT_TRUE(limiter.take(client_of(parse_address(text).value()), 1, clock.steady()).granted) << text;
}

TEST(RateLimiter, TakesUpANewRateAtOnce) {
  RateLimiter limiter;
  FakeClock clock;
  EXPECT_EQ(limiter.take(address(1), 100, clock.steady()).remaining, 99);
  EXPECT_EQ(limiter.take(address(1), 10, clock.steady()).remaining, 9);
}

TEST(ParseRate, TakesANumberAMinuteOrOff) {
  EXPECT_EQ(parse_rate("100/min").value(), 100);
  EXPECT_EQ(parse_rate("off").value(), 0);
  for (const auto* text : {"", "100", "0/min", "-1/min", "/min", "100/s", "9999999/min", "99999999999/min", "100/min "})
    EXPECT_FALSE(parse_rate(text).has_value()) << text;
}

}  // namespace
}  // namespace imago::access
