// SPDX-License-Identifier: Apache-2.0
#include "model/classifier.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <numeric>

namespace imago::model {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;

TEST(Softmax, AgreesWithScipy) {  // scipy 1.17.1 special.softmax([1, 2, 3])
  const std::vector<float> logits{1, 2, 3};
  EXPECT_THAT(softmax(logits),
              ElementsAre(DoubleNear(0.09003057317038046, 1e-15), DoubleNear(0.24472847105479764, 1e-15),
                          DoubleNear(0.6652409557748218, 1e-15)));
}

TEST(Softmax, OfAWidenedSingleLogitIsItsSigmoid) {
  const std::vector<float> widened{0.0F, 1.25F};
  EXPECT_NEAR(softmax(widened)[1], 1.0 / (1.0 + std::exp(-1.25)), 1e-15);
}

TEST(Softmax, DoesNotOverflowAndSumsToOne) {
  const std::vector<float> logits{-3e38F, 3e38F, 1000.0F, 3e38F};
  const auto probabilities = softmax(logits);
  EXPECT_NEAR(std::accumulate(probabilities.begin(), probabilities.end(), 0.0), 1.0, 1e-12);
  EXPECT_THAT(probabilities, ElementsAre(0.0, 0.5, 0.0, 0.5));
}

TEST(Softmax, ATemperatureAboveOneFlattens) {
  const std::vector<float> logits{0, 2};
  EXPECT_NEAR(softmax(logits, 2.0)[1], 1.0 / (1.0 + std::exp(-1.0)), 1e-15);
}

TEST(Argmax, TakesTheFirstOfEquals) { EXPECT_EQ(argmax(std::vector<float>{1, 5, 5, 2}), 1); }

}  // namespace
}  // namespace imago::model
