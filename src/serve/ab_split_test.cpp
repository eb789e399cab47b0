// SPDX-License-Identifier: Apache-2.0
#include "serve/ab_split.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

namespace imago::serve {
namespace {

constexpr int kRequests = 20'000;

/// Five standard deviations of a binomial share of kRequests.
double bound(double share) { return 5.0 * std::sqrt(share * (1.0 - share) / kRequests); }

TEST(AbSplit, DrawsTheStatedShareOfRequests) {
  for (const double share : {0.01, 0.1, 0.5, 0.9}) {
    AbSplit split(share, 42);
    int taken = 0;
    for (int i = 0; i < kRequests; ++i) taken += split.takes_challenger("") ? 1 : 0;
    EXPECT_NEAR(static_cast<double>(taken) / kRequests, share, bound(share)) << share;
  }
}

TEST(AbSplit, TakesTheStatedShareOfKeys) {
  for (const double share : {0.01, 0.1, 0.5, 0.9}) {
    AbSplit split(share, 42);
    int taken = 0;
    for (int i = 0; i < kRequests; ++i) taken += split.takes_challenger(fmt::format("user-{}", i)) ? 1 : 0;
    EXPECT_NEAR(static_cast<double>(taken) / kRequests, share, bound(share)) << share;
  }
}

TEST(AbSplit, LeavesAKeyWhereItIsAndMovesItOnceAsTheShareGrows) {
  AbSplit tenth(0.1, 1), same(0.1, 2), half(0.5, 3);
  for (int i = 0; i < 1000; ++i) {
    const std::string key = fmt::format("user-{}", i);
    const bool first = tenth.takes_challenger(key);
    EXPECT_EQ(first, tenth.takes_challenger(key)) << key;
    EXPECT_EQ(first, same.takes_challenger(key)) << key << ": another seed";
    EXPECT_LE(first, half.takes_challenger(key)) << key << ": a larger share";
  }
}

// SHA-256 of "abc" begins with ba7816bf (FIPS 180-2, appendix B.1): 0.72839...
TEST(AbSplit, PlacesAKeyByItsHash) {
  EXPECT_FALSE(AbSplit(0.728, 0).takes_challenger("abc"));
  EXPECT_TRUE(AbSplit(0.729, 0).takes_challenger("abc"));
}

TEST(AbSplit, GivesAllOrNothingAtTheEnds) {
  AbSplit none(0.0, 7), all(1.0, 7);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_FALSE(none.takes_challenger("") || none.takes_challenger(std::to_string(i)));
    EXPECT_TRUE(all.takes_challenger("") && all.takes_challenger(std::to_string(i)));
  }
}

}  // namespace
}  // namespace imago::serve
