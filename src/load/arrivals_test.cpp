// SPDX-License-Identifier: Apache-2.0
#include "load/arrivals.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <vector>

namespace imago::load {
namespace {

std::vector<double> gaps_of(Arrivals arrivals, int count) {
  std::vector<double> gaps;
  double last = 0.0;
  for (int i = 0; i < count; ++i) {
    const double time = std::chrono::duration<double>(arrivals.next()).count();
    gaps.push_back(time - last);
    last = time;
  }
  return gaps;
}

double mean_of(const std::vector<double>& values) {
  double sum = 0.0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

TEST(Arrivals, ComeAtEqualGapsWhenFixed) {
  for (const double gap : gaps_of(Arrivals(200.0, Pace::Fixed, 1), 1000)) EXPECT_NEAR(gap, 0.005, 1e-8);
}

// A Poisson process: gaps are exponential, so mean and standard deviation are 1 / rate, and exp(-1) of the gaps are
// longer than the mean.
TEST(Arrivals, AreAPoissonProcess) {
  const auto gaps = gaps_of(Arrivals(50.0, Pace::Poisson, 7), 100'000);
  const double mean = mean_of(gaps);
  double square = 0.0;
  double longer = 0.0;
  for (const double gap : gaps) {
    square += (gap - mean) * (gap - mean);
    longer += gap > 0.02 ? 1.0 : 0.0;
  }
  EXPECT_NEAR(mean, 0.02, 0.02 * 0.02);
  EXPECT_NEAR(std::sqrt(square / 100'000), 0.02, 0.02 * 0.03);
  EXPECT_NEAR(longer / 100'000, std::exp(-1.0), 0.01);
}

TEST(Arrivals, AreTheSameForTheSameSeed) {
  EXPECT_EQ(gaps_of(Arrivals(10, Pace::Poisson, 3), 50), gaps_of(Arrivals(10, Pace::Poisson, 3), 50));
  EXPECT_NE(gaps_of(Arrivals(10, Pace::Poisson, 3), 50), gaps_of(Arrivals(10, Pace::Poisson, 4), 50));
}

}  // namespace
}  // namespace imago::load
