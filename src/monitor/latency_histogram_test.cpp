// SPDX-License-Identifier: Apache-2.0
#include "monitor/latency_histogram.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace imago::monitor {
namespace {

using std::chrono::microseconds;

TEST(LatencyHistogram, IsZeroWhenEmpty) {
  EXPECT_EQ(LatencyHistogram().count(), 0U);
  EXPECT_EQ(LatencyHistogram().quantile(0.99), microseconds(0));
}

TEST(LatencyHistogram, IsExactBelowSixteenMicroseconds) {
  for (int value = 0; value < 16; ++value) {
    LatencyHistogram histogram;
    histogram.add(microseconds(value));
    EXPECT_EQ(histogram.quantile(0.5), microseconds(value));
  }
}

TEST(LatencyHistogram, HoldsEveryValueInABucketAtMostAnEighthWide) {
  for (std::int64_t value = 1; value < (1 << 27); value += 1 + value / 37) {
    LatencyHistogram histogram;
    histogram.add(microseconds(value));
    const auto low = histogram.quantile(0.0).count();
    const auto high = histogram.quantile(1.0).count();
    EXPECT_LE(low, value);
    EXPECT_GE(high, value);
    EXPECT_LE(high - low, value / 8) << value;
  }
}

// 1 to 1000 ms, one each: the quantile of a uniform distribution is its share of the range.
TEST(LatencyHistogram, FindsTheQuantilesOfAUniformDistribution) {
  LatencyHistogram histogram;
  for (int ms = 1; ms <= 1000; ++ms) histogram.add(microseconds(ms * 1000));
  for (const double share : {0.1, 0.5, 0.9, 0.95, 0.99})
    EXPECT_NEAR(static_cast<double>(histogram.quantile(share).count()), share * 1e6, share * 1e6 * 0.03) << share;
}

// Quantiles of the log-normal distribution: exp(mu + sigma * z), with z(0.5) = 0, z(0.95) = 1.644854, z(0.99)
// = 2.326348 (tables of the normal distribution).
TEST(LatencyHistogram, FindsTheQuantilesOfALogNormalDistribution) {
  std::mt19937 generator(7);
  std::lognormal_distribution<double> distribution(8.0, 0.5);
  LatencyHistogram histogram;
  for (int i = 0; i < 100'000; ++i) histogram.add(microseconds(std::llround(distribution(generator))));
  const std::vector<std::pair<double, double>> known{{0.5, 0.0}, {0.95, 1.644854}, {0.99, 2.326348}};
  for (const auto& [share, z] : known) {
    const double expected = std::exp(8.0 + 0.5 * z);
    EXPECT_NEAR(static_cast<double>(histogram.quantile(share).count()), expected, expected * 0.03) << share;
  }
}

TEST(LatencyHistogram, TakesWhatIsOutOfRangeAsTheNearestInIt) {
  LatencyHistogram histogram;
  histogram.add(microseconds(-5));
  EXPECT_EQ(histogram.quantile(1.0), microseconds(0));
  histogram.add(std::chrono::hours(24));
  EXPECT_NEAR(static_cast<double>(histogram.quantile(1.0).count()), 134.2e6, 0.1e6);
}

TEST(LatencyHistogram, IsWithinHalfAPercentWhenFine) {
  for (std::int64_t value = 1; value < (1 << 27); value += 1 + value / 37) {
    FineLatencyHistogram histogram;
    histogram.add(microseconds(value));
    EXPECT_LE(histogram.quantile(0.0).count(), value);
    EXPECT_GE(histogram.quantile(1.0).count(), value);
    EXPECT_LE(histogram.quantile(1.0).count() - histogram.quantile(0.0).count(), value / 256) << value;
  }
}

TEST(LatencyHistogram, CountsWhatIsBelow) {
  FineLatencyHistogram histogram;
  for (int value = 0; value < 100; ++value) histogram.add(microseconds(value));
  EXPECT_EQ(histogram.count_below(microseconds(0)), 0U);
  EXPECT_EQ(histogram.count_below(microseconds(25)), 25U);
  EXPECT_EQ(histogram.count_below(microseconds(1000)), 100U);
}

TEST(LatencyHistogram, AddsUp) {
  LatencyHistogram fast;
  LatencyHistogram slow;
  for (int i = 0; i < 99; ++i) fast.add(microseconds(10));
  slow.add(microseconds(1'000'000));
  fast.add(slow);
  EXPECT_EQ(fast.count(), 100U);
  EXPECT_EQ(fast.quantile(0.98), microseconds(10));
  EXPECT_NEAR(static_cast<double>(fast.quantile(1.0).count()), 1e6, 1e6 / 8);
}

}  // namespace
}  // namespace imago::monitor
