// SPDX-License-Identifier: Apache-2.0
// Against torch 2.15.0's cross_entropy(weight=, label_smoothing=).
#include <gmock/gmock.h>

#include "nn/test_networks.hpp"

namespace imago::nn {
namespace {

using ::testing::FloatNear;
using ::testing::HasSubstr;
using ::testing::Pointwise;
using namespace testing;

const std::vector<double> kWeights{0.5, 2.0, 1.25};

LearnerSettings weighted(std::vector<double> class_weights, double smoothing) {
  auto settings = sgd(0.0, false, 0.0);
  settings.loss = {.label_smoothing = smoothing, .class_weights = std::move(class_weights)};
  return settings;
}

model::Weights three_classes() {
  return {{"fc.weight", {{3, 3}, {0.2F, -0.4F, 0.6F, -0.1F, 0.3F, -0.5F, 0.7F, 0.1F, -0.2F}}},
          {"fc.bias", {{3}, {0.05F, -0.15F, 0.0F}}}};
}

struct Weighted {
  double smoothing, loss;
  std::vector<float> stepped;  // fc.weight after a step of 0.1
  double mixed_loss;           // of the labels' shares as class probabilities
};

TEST(ClassWeights, WeighLossAndGradientAsPyTorchDoes) {
  const std::vector<Weighted> cases{
      {0.0,
       1.0241363048553467,
       {0.2161729F, -0.4312822F, 0.5787491F, -0.1213547F, 0.3163174F, -0.4604173F, 0.7051818F, 0.1149648F, -0.2183317F},
       1.350058674812317},
      {0.1,
       1.0938149690628052,
       {0.2125152F, -0.4263117F, 0.5794417F, -0.1147512F, 0.3126227F, -0.4636224F, 0.7022360F, 0.1136891F, -0.2158192F},
       1.3979008197784424}};
  for (const Weighted& tested : cases) {
    const auto learner = learner_of(linear(3), weighted(kWeights, tested.smoothing));
    ASSERT_TRUE(learner->set_weights(three_classes()));
    EXPECT_NEAR(learner->step(four_pixels({0, 2, 1, 0}), {.learning_rate = 0.1})->loss, tested.loss, 1e-6);
    EXPECT_THAT(learner->weights()->at("fc.weight").data, Pointwise(FloatNear(1e-6F), tested.stepped));

    ASSERT_TRUE(learner->set_weights(three_classes()));
    Batch mixed = four_pixels({0, 2, 1, 0});
    mixed.second_labels = {1, 2, 0, 2};
    mixed.weights = {0.75F, 0.5F, 1.0F, 0.625F};
    EXPECT_NEAR(learner->step(mixed, {})->loss, tested.mixed_loss, 1e-6);
  }
}

TEST(ClassWeights, WeighOneLogitAsTwoClasses) {
  const model::Weights weights{{"fc.weight", {{1, 3}, {0.2F, -0.4F, 0.6F}}}, {"fc.bias", {{1}, {0.05F}}}};
  // Without smoothing also sum(w * binary_cross_entropy_with_logits) / sum(w).
  const std::vector<std::pair<double, double>> smoothing_and_loss{{0.0, 0.7809063196182251}, {0.1, 0.7633706331253052}};
  for (const auto& [smoothing, loss] : smoothing_and_loss) {
    const auto learner = learner_of(linear(1), weighted({0.5, 2.0}, smoothing));
    ASSERT_TRUE(learner->set_weights(weights));
    EXPECT_NEAR(learner->step(four_pixels({0, 1, 1, 0}), {})->loss, loss, 1e-6) << smoothing;
  }
}

TEST(ClassWeights, MustBeOneAClass) {
  EXPECT_THAT(make_learner(linear(3), weighted({1.0, 2.0}, 0.0)).error().message,
              HasSubstr("2 class weights for 3 classes"));
}

}  // namespace
}  // namespace imago::nn
