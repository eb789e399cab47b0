// SPDX-License-Identifier: Apache-2.0
#include "base/rng.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <set>
#include <vector>

namespace imago {
namespace {

// By the reference implementation: rand_xoshiro's test vector for xoshiro256++ from state {1, 2, 3, 4}, made with
// prng.di.unimi.it/xoshiro256plusplus.c.
TEST(Rng, GivesTheKnownAnswersOfXoshiro256PlusPlus) {
  Rng rng(Rng::State{1, 2, 3, 4});
  for (const std::uint64_t expected : {41943041ULL, 58720359ULL, 3588806011781223ULL, 3591011842654386ULL,
                                       9228616714210784205ULL, 9973669472204895162ULL, 14011001112246962877ULL,
                                       12406186145184390807ULL, 15849039046786891736ULL, 10450023813501588000ULL})
    EXPECT_EQ(rng.next(), expected);
}

// splitmix64 from 1234567, the vector of Rosetta Code's "Pseudo-random numbers/Splitmix64".
TEST(Rng, IsSeededThroughSplitmix64) {
  EXPECT_EQ(Rng(1234567).state(), (Rng::State{6457827717110365317ULL, 3203168211198807973ULL, 9817491932198370423ULL,
                                              4593380528125082431ULL}));
}

TEST(Rng, RepeatsFromASeedAndForksByCopy) {
  Rng a(7);
  Rng b(7);
  EXPECT_EQ(a.next(), b.next());
  Rng fork = a;
  EXPECT_EQ(fork.next(), a.next());
  EXPECT_NE(Rng(7).next(), Rng(8).next());
}

TEST(Rng, GivesEveryItemOfEveryPassItsOwnStream) {
  std::set<std::uint64_t> first_draws;
  for (std::uint64_t seed = 0; seed < 4; ++seed)
    for (std::uint64_t pass = 0; pass < 20; ++pass)
      for (std::uint64_t item = 0; item < 100; ++item) first_draws.insert(Rng::for_item(seed, pass, item).next());
  EXPECT_EQ(first_draws.size(), 8000U);
  EXPECT_EQ(Rng::for_item(1, 2, 3).next(), Rng::for_item(1, 2, 3).next());
}

TEST(Rng, DrawsUniformlyWithinTheBounds) {
  Rng rng(1);
  double sum = 0.0;
  for (int i = 0; i < 100'000; ++i) {
    const double x = rng.uniform(-2.0, 4.0);
    ASSERT_GE(x, -2.0);
    ASSERT_LT(x, 4.0);
    sum += x;
  }
  EXPECT_NEAR(sum / 100'000, 1.0, 0.03);  // 5 standard errors: 6 / sqrt(12) / sqrt(1e5) = 0.0055 each
}

TEST(Rng, DrawsIntegersWithoutBias) {
  Rng rng(2);
  std::vector<int> counts(6);
  for (int i = 0; i < 60'000; ++i) ++counts[rng.below(6)];
  double chi_square = 0.0;
  for (const int count : counts) chi_square += (count - 10'000.0) * (count - 10'000.0) / 10'000.0;
  EXPECT_LT(chi_square, 20.5);  // 99.9 % point for 5 degrees of freedom
  EXPECT_EQ(rng.below(1), 0U);
  // Two thirds of all draws are refused or wrapped here if the remainder is taken without care.
  constexpr std::uint64_t kBound = (std::uint64_t{1} << 63) + (std::uint64_t{1} << 62);
  int low = 0;
  for (int i = 0; i < 30'000; ++i) low += rng.below(kBound) < kBound / 3 ? 1 : 0;
  EXPECT_NEAR(low, 10'000, 410);  // 5 standard deviations: sqrt(30000 * 2 / 9) = 82
}

TEST(Rng, DrawsNormalsWithTheRightMoments) {
  Rng rng(3);
  constexpr int kDraws = 200'000;
  double sum = 0.0, squares = 0.0, fourths = 0.0;
  for (int i = 0; i < kDraws; ++i) {
    const double x = rng.normal();
    ASSERT_TRUE(std::isfinite(x));
    sum += x;
    squares += x * x;
    fourths += x * x * x * x;
  }
  EXPECT_NEAR(sum / kDraws, 0.0, 0.012);
  EXPECT_NEAR(squares / kDraws, 1.0, 0.016);
  EXPECT_NEAR(fourths / kDraws, 3.0, 0.11);
}

TEST(Rng, ShufflesToEveryOrderEquallyOften) {
  Rng rng(4);
  std::vector<int> counts(6);
  for (int i = 0; i < 60'000; ++i) {
    std::vector<int> items{0, 1, 2};
    rng.shuffle(std::span(items));
    ++counts[static_cast<std::size_t>(items[0] * 2 + (items[1] > items[2] ? 1 : 0))];
  }
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 457);  // 5 standard deviations
  std::vector<int> none;
  rng.shuffle(std::span(none));
}

TEST(RandomHex, IsHexOfTheLengthAskedForAndNeverTheSame) {
  const std::string a = random_hex(16);
  EXPECT_EQ(a.size(), 32U);
  EXPECT_EQ(a.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_NE(a, random_hex(16));
  EXPECT_EQ(random_hex(0), "");
}

}  // namespace
}  // namespace imago
