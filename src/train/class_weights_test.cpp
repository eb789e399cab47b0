// SPDX-License-Identifier: Apache-2.0
#include "train/class_weights.hpp"

#include <gmock/gmock.h>

namespace imago::train {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::vector<std::string> kNames{"cat", "dog", "emu"};

Result<std::vector<double>> weights_for(const json::Value& setting, const std::vector<int>& labels) {
  return class_weighting_from_json(setting).and_then(
      [&](const ClassWeighting& weighting) { return class_weights(weighting, kNames, labels); });
}

TEST(ClassWeighting, BalancesAsScikitLearnDoes) {
  // sklearn.utils.compute_class_weight("balanced", classes=[0, 1, 2], y=[0, 0, 0, 0, 1, 2, 2, 2])
  EXPECT_THAT(weights_for("balanced", {0, 0, 0, 0, 1, 2, 2, 2}).value(),
              ElementsAre(DoubleEq(8.0 / 12.0), DoubleEq(8.0 / 3.0), DoubleEq(8.0 / 9.0)));
  EXPECT_THAT(weights_for("balanced", {0, 0, 1}).value(), ElementsAre(0.5, 1.0, 0.0));
}

TEST(ClassWeighting, TakesWeightsByNameAndOneForTheRest) {
  EXPECT_THAT(weights_for({{"emu", 2.5}, {"cat", 0.25}}, {0}).value(), ElementsAre(0.25, 1.0, 2.5));
  EXPECT_THAT(weights_for("none", {0}).value(), IsEmpty());
}

TEST(ClassWeighting, RefusesWhatIsNoWeightOrNoClass) {
  const auto refusal = [](const json::Value& setting) {
    const auto weights = weights_for(setting, {0});
    return weights ? "accepted" : weights.error().message;
  };
  EXPECT_THAT(refusal({{"cow", 1.0}}), HasSubstr("'cow', which is no class of the data: there are cat, dog, emu"));
  EXPECT_THAT(refusal({{"cat", 0.0}}), HasSubstr("'cat' is 0.0"));
  EXPECT_THAT(refusal({{"cat", -1}}), HasSubstr("'cat' is -1"));
  EXPECT_THAT(refusal({{"cat", "much"}}), HasSubstr("'cat' is \"much\""));
  EXPECT_THAT(refusal("equal"), HasSubstr("\"equal\" is not none, balanced or weights by class"));
  EXPECT_THAT(refusal(3), HasSubstr("3 is not none"));
}

TEST(ClassWeighting, ComesBackFromItsJson) {
  for (const json::Value& setting : {json::Value("none"), json::Value("balanced"), json::Value{{"cat", 0.5}}})
    EXPECT_EQ(to_json(class_weighting_from_json(setting).value()), setting);
}

}  // namespace
}  // namespace imago::train
