// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "nn/test_networks.hpp"

namespace imago::nn {
namespace {

using ::testing::FloatNear;
using ::testing::Pointwise;
using namespace testing;

LearnerSettings looking_ahead() {
  auto settings = sgd(0.9, true, 0.01);
  settings.lookahead = true;
  return settings;
}

TEST(Lookahead, MovesWeightsAndStatisticsAsAirbenchsLookaheadStateDoes) {
  // legacy/airbench94.py's LookaheadState.update(net, decay) after steps 2, 4 and 5 of SGD(lr=0.1, momentum=0.9,
  // nesterov=True, weight_decay=0.01), torch 2.15.0.
  const auto learner = learner_of(norm_linear(), looking_ahead());
  ASSERT_TRUE(learner->set_weights({{"bn.weight", {{3}, {1.0F, 0.5F, 1.5F}}},
                                    {"bn.bias", {{3}, {0.1F, -0.2F, 0.3F}}},
                                    {"bn.running_mean", {{3}, {0.0F, 0.0F, 0.0F}}},
                                    {"bn.running_var", {{3}, {1.0F, 1.0F, 1.0F}}},
                                    {"fc.weight", {{2, 3}, {0.2F, -0.4F, 0.6F, -0.1F, 0.3F, -0.5F}}},
                                    {"fc.bias", {{2}, {0.05F, -0.15F}}}}));
  const std::vector<double> losses{0.8468165397644043, 0.6645517945289612, 0.5737287402153015, 0.4088834524154663,
                                   0.43431761860847473};
  const std::vector<double> decays{-1.0, 0.3, -1.0, 0.6, 1.0};
  for (std::size_t i = 0; i < losses.size(); ++i) {
    const auto report = learner->step(four_pixels({0, 1, 1, 0}), {.learning_rate = 0.1});
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_NEAR(report->loss, losses[i], 1e-6) << "step " << i;
    if (decays[i] >= 0.0) {
      ASSERT_TRUE(learner->look_ahead(decays[i]));
    }
  }
  const auto weights = learner->weights().value();
  const auto near = [](std::vector<float> values) { return Pointwise(FloatNear(1e-6F), std::move(values)); };
  EXPECT_THAT(weights.at("bn.weight").data, near({1.0598806F, 0.6674796F, 1.3415335F}));
  EXPECT_THAT(weights.at("bn.bias").data, near({0.0700005F, -0.1430170F, 0.2275991F}));
  EXPECT_THAT(weights.at("bn.running_mean").data, near({0.1864612F, -0.0621537F, 0.0372923F}));
  EXPECT_THAT(weights.at("bn.running_var").data, near({1.0031078F, 1.0445435F, 0.8788001F}));
  EXPECT_THAT(weights.at("fc.weight").data,
              near({0.3652908F, -0.5068433F, 0.3520035F, -0.2659136F, 0.4074661F, -0.2526264F}));
  EXPECT_THAT(weights.at("fc.bias").data, near({-0.0244498F, -0.0749274F}));
}

TEST(Lookahead, GoesOnFromItsSavedStateToTheBit) {
  const auto take = [](Learner& learner, int steps) {
    for (int i = 0; i < steps; ++i) {
      ASSERT_TRUE(learner.step(noise_batch(static_cast<std::uint64_t>(i)), {.learning_rate = 0.05}));
      ASSERT_TRUE(learner.look_ahead(0.5));
    }
  };
  const auto first = learner_of(small_cnn(0.3F), looking_ahead());
  take(*first, 3);
  const auto second = learner_of(small_cnn(0.3F), looking_ahead());
  ASSERT_TRUE(second->load_state(first->save_state().value()));
  take(*first, 3);
  take(*second, 3);
  EXPECT_EQ(first->weights().value(), second->weights().value());
}

}  // namespace
}  // namespace imago::nn
