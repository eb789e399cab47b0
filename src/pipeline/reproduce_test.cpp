// SPDX-License-Identifier: Apache-2.0
// The comparison; tests/end_to_end/test_runs.py trains twice.
#include "pipeline/reproduce.hpp"

#include <gmock/gmock.h>

#include <cmath>

namespace imago::pipeline {
namespace {

model::Weights weights() { return {{"a.weight", {{2, 2}, {1, 2, 3, 4}}}, {"b.bias", {{1}, {0.0F}}}}; }

TEST(FirstDifference, IsNoneOnlyWhenEveryBitIsTheSame) {
  EXPECT_EQ(first_difference(weights(), weights()), "");
  auto other = weights();
  other["b.bias"].data[0] = -0.0F;
  EXPECT_EQ(first_difference(weights(), other), "b.bias[0] was 0, now -0") << "equal as numbers, not as bits";
  other["a.weight"].data[3] = std::nextafter(4.0F, 5.0F);
  EXPECT_EQ(first_difference(weights(), other), "a.weight[3] was 4, now 4.0000005");
}

TEST(FirstDifference, SeesTensorsThatCameWentOrChangedTheirShape) {
  auto other = weights();
  other["a.weight"].shape = {4};
  EXPECT_EQ(first_difference(weights(), other), "a.weight has another shape");
  other.erase("a.weight");
  EXPECT_EQ(first_difference(weights(), other), "there is no a.weight any more");
  EXPECT_EQ(first_difference(other, weights()), "a.weight is new");
}

}  // namespace
}  // namespace imago::pipeline
