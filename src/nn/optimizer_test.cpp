// SPDX-License-Identifier: Apache-2.0
// Steps and losses against PyTorch's: the expected numbers were computed with torch 2.15.0 (CPU, float32) on the same
// weights, images and rates.
#include <gmock/gmock.h>

#include "nn/test_networks.hpp"

namespace imago::nn {
namespace {

using ::testing::Pointwise;
using namespace testing;

model::Weights norm_linear_weights() {
  return {{"bn.weight", {{3}, {1.0F, 0.5F, 1.5F}}},
          {"bn.bias", {{3}, {0.1F, -0.2F, 0.3F}}},
          {"bn.running_mean", {{3}, {0.0F, 0.0F, 0.0F}}},
          {"bn.running_var", {{3}, {1.0F, 1.0F, 1.0F}}},
          {"fc.weight", {{2, 3}, {0.2F, -0.4F, 0.6F, -0.1F, 0.3F, -0.5F}}},
          {"fc.bias", {{2}, {0.05F, -0.15F}}}};
}

struct OptimizerCase {
  const char* name;
  LearnerSettings settings;
  std::vector<double> losses;
  /// bn.weight, bn.bias, bn.running_mean, bn.running_var, fc.weight, fc.bias after the last step.
  std::vector<float> values;
};

void PrintTo(const OptimizerCase& optimizer, std::ostream* out) { *out << optimizer.name; }

std::vector<OptimizerCase> optimizer_cases() {
  auto nesterov = sgd(0.9, true, 0.01);
  auto momentum = sgd(0.8, false, 0.0);
  auto plain = sgd(0.0, false, 0.0);
  LearnerSettings adam;
  adam.optimizer = {.kind = OptimizerKind::Adam, .beta1 = 0.8, .beta2 = 0.99, .eps = 1e-6, .weight_decay = 0.05};
  LearnerSettings adamw;
  adamw.optimizer = {.kind = OptimizerKind::AdamW, .weight_decay = 0.05};
  auto weights_only = nesterov;  // parameter groups: fc.weight decays; bn.bias has 8 times the rate
  weights_only.optimizer.decay_bias_and_norm = false;
  weights_only.optimizer.norm_bias_lr_factor = 8.0;
  auto fast_bias = nesterov;  // parameter groups: bn.bias has 8 times the rate and an eighth of the decay (airbench94)
  fast_bias.optimizer.norm_bias_lr_factor = 8.0;
  auto clipped = sgd(0.9, true, 0.0);  // torch.nn.utils.clip_grad_norm_(parameters, 0.25)
  clipped.gradient_clip_norm = 0.25;
  auto smoothed = sgd(0.9, true, 0.0);
  smoothed.loss.label_smoothing = 0.2;
  auto averaged = sgd(0.9, true, 0.0);  // AveragedModel(avg_fn, use_buffers=True), decay min(0.22, (1 + t) / (10 + t))
  averaged.ema_decay = 0.22;
  return {
      {"SgdNesterovDecay",
       nesterov,
       {0.84681654, 0.664551795, 0.38433814, 0.353288293},
       {1.1031849F,  0.8487762F,  1.2118356F, 0.0445655F,  -0.0953815F, 0.1680325F, 0.3224062F,
        -0.1074687F, 0.0644813F,  1.0053735F, 1.0770192F,  0.7904359F,  0.4953814F, -0.6268692F,
        0.1607759F,  -0.3966909F, 0.5281788F, -0.0620855F, -0.0860757F, -0.0126148F}},
      {"SgdMomentum",
       momentum,
       {0.84681654, 0.747196078, 0.481517404, 0.431052208},
       {1.0907305F,  0.7383892F,  1.2796576F, 0.0599502F,  -0.1219451F, 0.1974792F, 0.3224062F,
        -0.1074687F, 0.0644813F,  1.0053735F, 1.0770192F,  0.7904359F,  0.4385384F, -0.5520529F,
        0.2470712F,  -0.3385384F, 0.4520528F, -0.1470712F, -0.0550696F, -0.0449304F}},
      {"SgdPlain",
       plain,
       {0.84681654, 0.747196078, 0.587088823, 0.558296204},
       {1.0504934F,  0.6237673F,  1.3845550F, 0.0778931F,  -0.1575799F, 0.2454658F, 0.3224062F,
        -0.1074687F, 0.0644813F,  1.0053735F, 1.0770192F,  0.7904359F,  0.3278344F, -0.4786076F,
        0.4109160F,  -0.2278344F, 0.3786076F, -0.3109160F, -0.0066485F, -0.0933515F}},
      {"AdamDecay",
       adam,
       {0.84681654, 0.550610781, 0.330436915, 0.305815846},
       {1.2585341F,  0.9493297F,  1.1049367F, -0.1145514F, 0.0317541F,  -0.0074182F, 0.3224062F,
        -0.1074687F, 0.0644813F,  1.0053735F, 1.0770192F,  0.7904359F,  0.5508320F,  -0.8460570F,
        0.2216175F,  -0.4536020F, 0.7462797F, -0.1230841F, -0.1985811F, 0.1056543F}},
      {"AdamW",
       adamw,
       {0.84681654, 0.549498439, 0.337629408, 0.317687869},
       {1.3492107F,  0.9353053F,  1.0844886F, -0.1299210F, 0.0456077F,  -0.0209858F, 0.3224062F,
        -0.1074687F, 0.0644813F,  1.0053735F, 1.0770192F,  0.7904359F,  0.5677607F,  -0.8362402F,
        0.2034966F,  -0.4699933F, 0.7384729F, -0.1057292F, -0.2210937F, 0.1233263F}},
      {"DecayOnWeightsOnly",
       weights_only,
       {0.84681654, 0.635528207, 0.394444495, 0.363934577},
       {1.1134437F,  0.8572081F,  1.2298521F, 0.0231305F,  0.1128524F,  -0.3909876F, 0.3224062F,
        -0.1074687F, 0.0644813F,  1.0053735F, 1.0770192F,  0.7904359F,  0.4935543F,  -0.6310573F,
        0.1660422F,  -0.3948638F, 0.5323668F, -0.0673517F, -0.0156406F, -0.0843594F}},
      {"FastNormBias",
       fast_bias,
       {0.84681654, 0.635277748, 0.395840883, 0.365454435},
       {1.1001492F,  0.8500616F,  1.2113992F, 0.0237777F,  0.1116533F,  -0.3899282F, 0.3224062F,
        -0.1074687F, 0.0644813F,  1.0053735F, 1.0770192F,  0.7904359F,  0.4934789F,  -0.6308206F,
        0.1664718F,  -0.3947884F, 0.5321300F, -0.0677813F, -0.0156601F, -0.0830304F}},
      {"ClippedGradient",
       clipped,
       {0.84681654, 0.799305737, 0.673982739, 0.637649894},
       {1.0377469F,  0.5935877F,  1.3985158F, 0.0841468F,  -0.1671535F, 0.2537481F, 0.3224062F,
        -0.1074687F, 0.0644813F,  1.0053735F, 1.0770192F,  0.7904359F,  0.3050804F, -0.4584697F,
        0.4411354F,  -0.2050804F, 0.3584697F, -0.3411354F, 0.0047646F,  -0.1047646F}},
      {"SmoothedLabels",
       smoothed,
       {0.872753024, 0.718238711, 0.491924047, 0.473730624},
       {1.0997258F,  0.7550643F,  1.2369981F, 0.0459332F,  -0.0982986F, 0.1701238F, 0.3224062F,
        -0.1074687F, 0.0644813F,  1.0053735F, 1.0770192F,  0.7904359F,  0.4624068F, -0.5594561F,
        0.1752369F,  -0.3624068F, 0.4594561F, -0.0752369F, -0.0874351F, -0.0125649F}},
      {"AveragedWeights",
       averaged,
       {0.84681654, 0.665313482, 0.382267207, 0.350402743},
       {1.1105509F,  0.8281621F,  1.2412022F, 0.0489451F,  -0.1030888F, 0.1770866F, 0.3026153F,
        -0.1008718F, 0.0605231F,  1.0050436F, 1.0722914F,  0.8032999F,  0.4851493F, -0.6133465F,
        0.1846039F,  -0.3851494F, 0.5133465F, -0.0846038F, -0.0789222F, -0.0210778F}},
  };
}

class OptimizerStep : public ::testing::TestWithParam<OptimizerCase> {};

TEST_P(OptimizerStep, EqualsPyTorchsOverFourSteps) {
  const auto learner = learner_of(norm_linear(), GetParam().settings);
  ASSERT_TRUE(learner->set_weights(norm_linear_weights(), true));  // the average is one that began at random
  const std::vector<double> rates{0.1, 0.2, 0.05, 0.1};
  for (std::size_t i = 0; i < rates.size(); ++i) {
    const auto report = learner->step(four_pixels({0, 1, 1, 0}), {.learning_rate = rates[i]});
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_NEAR(report->loss, GetParam().losses[i], 1e-6) << "step " << i;
  }
  const auto weights = learner->weights().value();
  std::vector<float> values;
  for (const char* name : {"bn.weight", "bn.bias", "bn.running_mean", "bn.running_var", "fc.weight", "fc.bias"}) {
    values.insert(values.end(), weights.at(name).data.begin(), weights.at(name).data.end());
  }
  EXPECT_THAT(values, Pointwise(::testing::FloatNear(1e-6F), GetParam().values));
}

INSTANTIATE_TEST_SUITE_P(Learner, OptimizerStep, ::testing::ValuesIn(optimizer_cases()),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST(Learner, ComputesCrossEntropyWithLabelSmoothingAsPyTorchDoes) {
  const model::Weights weights{
      {"fc.weight", {{3, 3}, {0.2F, -0.4F, 0.6F, -0.1F, 0.3F, -0.5F, 0.7F, 0.1F, -0.2F}}},
      {"fc.bias", {{3}, {0.05F, -0.15F, 0.0F}}},
  };
  const std::vector<std::pair<double, double>> smoothing_and_loss{
      {0.0, 0.8669512271881104}, {0.1, 0.908409595489502}, {0.3, 0.9913262128829956}};
  for (const auto& [smoothing, loss] : smoothing_and_loss) {
    LearnerSettings settings;
    settings.loss.label_smoothing = smoothing;
    const auto learner = learner_of(linear(3), settings);
    ASSERT_TRUE(learner->set_weights(weights));
    const auto report = learner->step(four_pixels({0, 2, 1, 0}), {}).value();
    EXPECT_NEAR(report.loss, loss, 1e-6) << smoothing;
    EXPECT_EQ(report.correct, 2);
  }
}

TEST(Learner, TrainsOneOutputWithBinaryCrossEntropyAndWidensItsLogits) {
  const model::Weights weights{{"fc.weight", {{1, 3}, {0.2F, -0.4F, 0.6F}}}, {"fc.bias", {{1}, {0.05F}}}};
  const std::vector<std::pair<double, double>> smoothing_and_loss{{0.0, 0.948049783706665}, {0.1, 0.9280498027801514}};
  for (const auto& [smoothing, loss] : smoothing_and_loss) {
    LearnerSettings settings;
    settings.loss.label_smoothing = smoothing;
    const auto learner = learner_of(linear(1), settings);
    EXPECT_EQ(learner->classes(), 2);
    ASSERT_TRUE(learner->set_weights(weights));
    const auto logits = learner->classify(four_pixels({}).images).value();
    EXPECT_EQ(logits.classes, 2);
    EXPECT_THAT(logits.data, Pointwise(::testing::FloatNear(1e-6F),
                                       std::vector<float>{0.0F, 0.7F, 0.0F, -0.25F, 0.0F, 0.4F, 0.0F, 1.05F}));
    const auto report = learner->step(four_pixels({0, 1, 1, 0}), {}).value();
    EXPECT_NEAR(report.loss, loss, 1e-6) << smoothing;
    EXPECT_EQ(report.correct, 1);
  }
}

/// A batch of mixed images: what torch 2.15.0 made of the shares 0.75, 0.5, 1 and 0.625 as class probabilities.
Batch mixed(std::vector<int> labels, std::vector<int> second) {
  Batch batch = four_pixels(std::move(labels));
  batch.second_labels = std::move(second);
  batch.weights = {0.75F, 0.5F, 1.0F, 0.625F};
  return batch;
}

TEST(Learner, SharesTheCrossEntropyOfMixedImagesAsPyTorchDoes) {
  const model::Weights weights{
      {"fc.weight", {{3, 3}, {0.2F, -0.4F, 0.6F, -0.1F, 0.3F, -0.5F, 0.7F, 0.1F, -0.2F}}},
      {"fc.bias", {{3}, {0.05F, -0.15F, 0.0F}}},
  };
  const std::vector<std::pair<double, double>> smoothing_and_loss{{0.0, 0.9310137033462524}, {0.1, 0.9660657644271851}};
  for (const auto& [smoothing, loss] : smoothing_and_loss) {
    LearnerSettings settings = sgd(0.0, false, 0.0);
    settings.loss.label_smoothing = smoothing;
    const auto learner = learner_of(linear(3), settings);
    ASSERT_TRUE(learner->set_weights(weights));
    const auto report = learner->step(mixed({0, 2, 1, 0}, {1, 2, 0, 2}), {.learning_rate = 0.1});
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_NEAR(report->loss, loss, 1e-6) << smoothing;
    EXPECT_EQ(report->correct, 2);
    if (smoothing > 0.0) continue;
    const std::vector<float> stepped{0.21078156F,  -0.42236185F, 0.59001118F, -0.11514657F, 0.30538106F,
                                     -0.47703564F, 0.70436502F,  0.11698080F, -0.21297555F};
    EXPECT_THAT(learner->weights()->at("fc.weight").data, Pointwise(::testing::FloatNear(1e-6F), stepped));
  }
}

TEST(Learner, SharesTheBinaryCrossEntropyOfMixedImagesAsPyTorchDoes) {
  const model::Weights weights{{"fc.weight", {{1, 3}, {0.2F, -0.4F, 0.6F}}}, {"fc.bias", {{1}, {0.05F}}}};
  const std::vector<std::pair<double, double>> smoothing_and_loss{{0.0, 0.805862307548523}, {0.1, 0.8000810146331787}};
  for (const auto& [smoothing, loss] : smoothing_and_loss) {
    LearnerSettings settings;
    settings.loss.label_smoothing = smoothing;
    const auto learner = learner_of(linear(1), settings);
    ASSERT_TRUE(learner->set_weights(weights));
    EXPECT_NEAR(learner->step(mixed({0, 1, 1, 0}, {1, 1, 0, 1}), {})->loss, loss, 1e-6) << smoothing;
  }
}

TEST(Learner, RefusesSecondLabelsThatDoNotFit) {
  const auto learner = learner_of(linear(3));
  const auto refusal = [&](const Batch& batch) { return learner->step(batch, {}).error().message; };
  EXPECT_THAT(refusal(mixed({0, 1, 2, 0}, {0, 1})), ::testing::HasSubstr("2 second labels and 4 weights for 4 images"));
  EXPECT_THAT(refusal(mixed({0, 1, 2, 0}, {0, 1, 3, 0})), ::testing::HasSubstr("label 3, but 3 classes"));
  auto heavy = mixed({0, 1, 2, 0}, {0, 1, 2, 0});
  heavy.weights[2] = 1.5F;
  EXPECT_THAT(refusal(heavy), ::testing::HasSubstr("weight 1.5"));
  heavy.weights.clear();
  EXPECT_THAT(refusal(heavy), ::testing::HasSubstr("0 weights"));
}

}  // namespace
}  // namespace imago::nn
