// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "nn/test_networks.hpp"

namespace imago::nn {
namespace {

using ::testing::HasSubstr;
using namespace testing;

LearnerSettings frozen() {
  LearnerSettings settings;
  settings.freeze_backbone = true;
  settings.optimizer.weight_decay = 0.1;
  return settings;
}

TEST(FrozenBackbone, LearnsInTheHeadAlone) {
  const auto learner = learner_of(small_cnn(0.5F), frozen());
  const auto before = learner->weights().value();
  for (std::uint64_t i = 0; i < 5; ++i) ASSERT_TRUE(learner->step(noise_batch(i), {.learning_rate = 0.1}));
  const auto after = learner->weights().value();
  for (const auto& [name, tensor] : before) {
    EXPECT_EQ(after.at(name) == tensor, !name.starts_with("fc.")) << name;  // statistics too
  }
}

TEST(FrozenBackbone, TakesTheStepsThatAHeadOnItsFeaturesWouldTake) {
  // The same head as a network of its own, on the features that the frozen part gives.
  auto graph = small_cnn(0.0F);
  const auto whole = learner_of(graph, frozen());
  const auto weights = whole->weights().value();
  model::Graph backbone{"backbone", graph.input, {graph.nodes.begin(), graph.nodes.begin() + 5}};
  const auto features = learner_of(backbone);
  auto below = weights;
  below.erase("fc.weight");
  below.erase("fc.bias");
  ASSERT_TRUE(features->set_weights(below));

  model::Graph head{"head", {8, 4, 4}, {}};
  head.then("flatten", model::Flatten{});
  head.then("fc", model::Linear{3});
  LearnerSettings settings;
  settings.optimizer.weight_decay = 0.1;
  const auto alone = learner_of(head, settings);
  ASSERT_TRUE(alone->set_weights({{"fc.weight", weights.at("fc.weight")}, {"fc.bias", weights.at("fc.bias")}}));

  for (const std::uint64_t i : {1U, 2U, 1U, 3U, 1U}) {  // batches that come again are known already
    const auto batch = noise_batch(i);
    const auto rows = features->classify(batch.images).value();
    Batch same{{.n = 6, .channels = 8, .height = 4, .width = 4, .data = {}}, batch.labels};
    same.images.data = rows.data;
    const auto expected = alone->step(same, {.learning_rate = 0.05}).value();
    EXPECT_NEAR(whole->step(batch, {.learning_rate = 0.05}).value().loss, expected.loss, 1e-5);
  }
  const auto images = noise(4, 8, 9);
  const auto judge = learner_of(graph);
  ASSERT_TRUE(judge->set_weights(whole->weights().value()));
  EXPECT_EQ(whole->classify(images).value().data, judge->classify(images).value().data);
}

TEST(FrozenBackbone, ForgetsFeaturesWhenItsWeightsChange) {
  const auto learner = learner_of(small_cnn(0.0F), frozen());
  const auto images = noise(4, 8, 9);
  const auto before = learner->classify(images).value().data;
  LearnerSettings other;
  other.seed = 2;
  const auto source = learner_of(small_cnn(0.0F), other);
  ASSERT_TRUE(learner->set_weights(source->weights().value()));
  EXPECT_NE(learner->classify(images).value().data, before);
  EXPECT_EQ(learner->classify(images).value().data, source->classify(images).value().data);
}

TEST(FrozenBackbone, NeedsSomethingAboveIt) {
  model::Graph graph{"headless", {3, 8, 8}, {}};
  graph.then("conv", model::Conv2d{.out_channels = 3});
  graph.then("pool", model::GlobalAveragePool{});
  EXPECT_THAT(make_learner(graph, frozen()).error().message, HasSubstr("nothing to train"));
}

}  // namespace
}  // namespace imago::nn
