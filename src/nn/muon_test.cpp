// SPDX-License-Identifier: Apache-2.0
// Against zeropower_via_newtonschulz5 and Muon of airbench94_muon.py (KellerJordan/cifar10-airbench), run with torch
// 2.15.0 on the CPU in float32 instead of bfloat16, and torch.optim.SGD for all but convolutions. Weights and images
// are sin(a * i + b).
#include <gmock/gmock.h>

#include <cmath>

#include "nn/test_networks.hpp"

namespace imago::nn {
namespace {

using ::testing::FloatNear;
using ::testing::Pointwise;
using namespace testing;

std::vector<float> wave(int n, double a, double b) {
  std::vector<float> values;
  for (int i = 0; i < n; ++i) values.push_back(static_cast<float>(std::sin(a * i + b)));
  return values;
}

/// Convolution without bias, BatchNorm, ReLU, linear: 2 classes on 3 x 3 x 3.
model::Graph conv_norm_linear(int filters, int kernel) {
  model::Graph graph{"conv-norm-linear", {3, 3, 3}, {}};
  graph.then("conv", model::Conv2d{.out_channels = filters, .kernel = kernel, .bias = false});
  graph.then("bn", model::BatchNorm2d{});
  graph.then("relu", model::Activate{});
  graph.then("flatten", model::Flatten{});
  graph.then("fc", model::Linear{2});
  return graph;
}

Batch two_images() {
  Batch batch;  // filled member by member: GCC 12 takes the aggregate for uninitialised
  batch.images = {.n = 2, .channels = 3, .height = 3, .width = 3, .data = wave(54, 0.91, 0.3)};
  batch.labels = {0, 1};
  return batch;
}

void expect_losses(Learner& learner, const std::vector<double>& losses) {
  const auto batch = two_images();
  const std::vector<double> rates{0.01, 0.02, 0.005, 0.01};
  for (std::size_t i = 0; i < rates.size(); ++i)
    EXPECT_NEAR(learner.step(batch, {.learning_rate = rates[i]}).value().loss, losses[i], 1e-5) << "step " << i;
}

auto near(std::vector<float> values) { return Pointwise(FloatNear(1e-5F), std::move(values)); }

TEST(Muon, StepsAsAirbenchsWithSgdForAllButConvolutions) {
  // Muon([conv.weight], lr=rate, momentum=0.6, nesterov=True) and SGD(momentum=0.85, nesterov=True) with lr = 32 * rate
  // for bn.bias, 8 * rate for the rest, weight_decay = 0.01 * rate / lr. The filters are a wide matrix, 2 x 12.
  LearnerSettings settings;
  settings.optimizer = {.kind = OptimizerKind::Muon,
                        .momentum = 0.85,
                        .weight_decay = 0.01,
                        .norm_bias_lr_factor = 4.0,
                        .muon_momentum = 0.6,
                        .muon_sgd_lr_factor = 8.0};
  const auto learner = learner_of(conv_norm_linear(2, 2), settings);
  ASSERT_TRUE(learner->set_weights({{"conv.weight", {{2, 3, 2, 2}, wave(24, 0.37, 0.7)}},
                                    {"bn.weight", {{2}, {1.0F, 0.5F}}},
                                    {"bn.bias", {{2}, {0.1F, -0.2F}}},
                                    {"bn.running_mean", {{2}, {0.0F, 0.0F}}},
                                    {"bn.running_var", {{2}, {1.0F, 1.0F}}},
                                    {"fc.weight", {{2, 8}, wave(16, 0.53, 0.2)}},
                                    {"fc.bias", {{2}, {0.05F, -0.15F}}}}));
  expect_losses(*learner, {1.0947391986846924, 1.2867974042892456, 1.137730360031128, 0.7888095378875732});
  const auto weights = learner->weights().value();
  EXPECT_THAT(
      weights.at("conv.weight").data,
      near({0.2506931F,  0.3362600F,  0.3941892F,  0.3961249F,  0.3167799F,  0.2229293F,  0.0991446F,  -0.0549671F,
            -0.1856188F, -0.2969636F, -0.3861465F, -0.4092740F, -0.3460046F, -0.2756418F, -0.1740374F, -0.0221900F,
            0.1169969F,  0.2401902F,  0.3583597F,  0.4123375F,  0.3792564F,  0.3342006F,  0.2318523F,  0.0817826F}));
  EXPECT_THAT(weights.at("bn.weight").data, near({0.9371246F, 0.3310265F}));
  EXPECT_THAT(weights.at("bn.bias").data, near({-0.6561513F, -0.5713357F}));
  EXPECT_THAT(
      weights.at("fc.weight").data,
      near({-0.2086939F, 0.6314177F, 0.9509199F, 1.0776576F, 0.7313313F, 0.2871246F, -0.0870068F, -0.5935390F,
            -0.5548279F, -0.9311805F, -0.7046730F, -0.3529677F, 0.2729571F, 0.7211996F, 0.8226969F, 0.8547320F}));
  EXPECT_THAT(weights.at("fc.bias").data, near({-0.0142615F, -0.0856155F}));
}

TEST(Muon, TurnsATallMatrixOverAsAirbenchsDoes) {
  LearnerSettings settings;  // 5 filters of 3 numbers; the rest at the same rate, without decay
  settings.optimizer = {.kind = OptimizerKind::Muon, .momentum = 0.85, .muon_momentum = 0.6};
  const auto learner = learner_of(conv_norm_linear(5, 1), settings);
  ASSERT_TRUE(learner->set_weights({{"conv.weight", {{5, 3, 1, 1}, wave(15, 0.37, 0.7)}},
                                    {"bn.weight", {{5}, std::vector<float>(5, 1.0F)}},
                                    {"bn.bias", {{5}, std::vector<float>(5, 0.0F)}},
                                    {"bn.running_mean", {{5}, std::vector<float>(5, 0.0F)}},
                                    {"bn.running_var", {{5}, std::vector<float>(5, 1.0F)}},
                                    {"fc.weight", {{2, 45}, wave(90, 0.53, 0.2)}},
                                    {"fc.bias", {{2}, {0.05F, -0.15F}}}}));
  expect_losses(*learner, {3.7871649265289307, 3.3913776874542236, 2.43406343460083, 2.177996873855591});
  EXPECT_THAT(learner->weights()->at("conv.weight").data,
              near({0.4974663F, 0.6773730F, 0.7654063F, 0.7381970F, 0.6437473F, 0.4355753F, 0.1667319F, -0.1024988F,
                    -0.3873081F, -0.5754148F, -0.7139691F, -0.8083253F, -0.6762720F, -0.5685293F, -0.3099509F}));
}

TEST(Muon, LetsTheWhiteningBiasFollowALineOfItsOwnAsAirbenchsDoes) {
  // The loop of airbench94_muon.py for 4 steps, 2 of them with the whitening bias, at a tenth of its size: SGD(momentum
  // = 0.85, nesterov=True) with bias_lr = 0.064, head_lr = 0.016, wd = 2e-5, the loss's mean instead of its sum.
  constexpr double kPeak = 0.002;
  LearnerSettings settings;
  settings.optimizer = {.kind = OptimizerKind::Muon,
                        .momentum = 0.85,
                        .weight_decay = 0.01,
                        .whitening_bias_lr_factor = 4.0,
                        .muon_sgd_lr_factor = 8.0};
  model::Graph graph{"whitened", {3, 3, 3}, {}};
  graph.then("whiten",
             model::Conv2d{.out_channels = 4, .kernel = 2, .init = model::Init::Whitening, .freeze_weight = true});
  graph.then("flatten", model::Flatten{});
  graph.then("fc", model::Linear{2});
  const auto learner = learner_of(graph, settings);
  ASSERT_TRUE(learner->set_weights({{"whiten.weight", {{4, 3, 2, 2}, wave(48, 0.37, 0.7)}},
                                    {"whiten.bias", {{4}, wave(4, 0.9, 0.1)}},
                                    {"fc.weight", {{2, 16}, wave(32, 0.53, 0.2)}},
                                    {"fc.bias", {{2}, {0.05F, -0.15F}}}}));
  const std::vector<double> losses{11.263628005981445, 8.2859525680542, 5.8775105476379395, 4.938534736633301};
  for (std::size_t i = 0; i < losses.size(); ++i) {
    const double step = static_cast<double>(i);
    const StepOptions options{.learning_rate = kPeak * (1.0 - step / 4.0),
                              .whitening_bias_rate = i < 2 ? std::optional(kPeak * (1.0 - step / 2.0)) : std::nullopt};
    EXPECT_NEAR(learner->step(two_images(), options).value().loss, losses[i], 1e-5) << "step " << i;
    if (i == 0) {
      EXPECT_THAT(learner->weights()->at("whiten.bias").data, near({0.2751154F, 1.0094869F, 0.5955354F, 0.5330961F}));
    }
  }
  const auto weights = learner->weights().value();
  EXPECT_THAT(weights.at("whiten.bias").data, near({0.3955292F, 1.1295613F, 0.3566171F, 0.6708101F}));
  EXPECT_THAT(weights.at("fc.bias").data, near({0.1003906F, -0.2003780F}));
  EXPECT_THAT(
      weights.at("fc.weight").data,
      near({0.2401077F,  0.5879244F,  0.8807432F,  1.0267822F,  0.6289843F,  0.2325164F,  -0.0537450F, -0.5067672F,
            -0.8764672F, -0.7859630F, -0.6598552F, -0.3300195F, 0.4213443F,  0.7710732F,  0.8572106F,  0.9025550F,
            0.6362597F,  0.2919649F,  -0.2387613F, -0.7988584F, -0.8776578F, -0.8895544F, -0.8313759F, -0.3635718F,
            0.2597188F,  0.5920323F,  0.9419541F,  1.0107439F,  0.4712245F,  0.0884318F,  -0.2666055F, -0.7429035F}));
}

}  // namespace
}  // namespace imago::nn
