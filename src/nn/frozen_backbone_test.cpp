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

TEST(FrozenBackbone, GoesOnToTheBitThoughItsFeaturesAreComputedAnewInOtherCompany) {
  const auto pool = noise(20, 8, 5);
  const auto batch_of = [&](const std::vector<int>& items) {
    Batch batch{{.n = static_cast<int>(items.size()), .channels = 3, .height = 8, .width = 8, .data = {}}, {}};
    for (const int item : items) {
      batch.images.data.insert(batch.images.data.end(), pool.item(item).begin(), pool.item(item).end());
      batch.labels.push_back(item % 3);
    }
    return batch;
  };
  const std::vector<Batch> batches{batch_of({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}), batch_of({11, 12, 13, 14, 15, 16, 17}),
                                   batch_of({9, 3, 18, 12, 0, 17, 5}), batch_of({19, 4, 11, 16, 8, 18, 2, 1})};
  const auto whole = learner_of(small_cnn(0.2F), frozen());
  const auto resumed = learner_of(small_cnn(0.2F), frozen());
  for (std::size_t i = 0; i < batches.size(); ++i) {
    if (i == 2) {
      ASSERT_TRUE(resumed->load_state(whole->save_state().value()));
    }
    ASSERT_TRUE(whole->step(batches[i], {.learning_rate = 0.1}));
    if (i >= 2) {
      ASSERT_TRUE(resumed->step(batches[i], {.learning_rate = 0.1}));
    }
  }
  EXPECT_EQ(whole->weights().value(), resumed->weights().value());
}

TEST(FrozenBackbone, LearnsAltogetherOnceUnfrozen) {
  auto settings = frozen();
  settings.ema_decay = 0.5;
  const auto learner = learner_of(small_cnn(0.0F), settings);
  for (std::uint64_t i = 0; i < 3; ++i) ASSERT_TRUE(learner->step(noise_batch(i), {.learning_rate = 0.1}));
  const auto before = learner->weights().value();
  ASSERT_TRUE(learner->unfreeze());
  EXPECT_EQ(learner->weights().value(), before);
  ASSERT_TRUE(learner->unfreeze());  // again is nothing
  ASSERT_TRUE(learner->step(noise_batch(9), {.learning_rate = 0.1}));
  const auto after = learner->weights().value();
  for (const auto& [name, tensor] : before) EXPECT_NE(after.at(name), tensor) << name;
}

TEST(FrozenBackbone, OnceUnfrozenTakesTheStepsOfANetworkThatNeverWasFrozen) {
  auto settings = frozen();
  const auto thawed = learner_of(small_cnn(0.0F), settings);
  ASSERT_TRUE(thawed->step(noise_batch(1), {.learning_rate = 0.1}));
  ASSERT_TRUE(thawed->unfreeze());
  settings.freeze_backbone = false;
  const auto free = learner_of(small_cnn(0.0F), settings);
  ASSERT_TRUE(free->set_weights(thawed->weights().value()));
  for (std::uint64_t i = 0; i < 4; ++i) {
    EXPECT_EQ(thawed->step(noise_batch(i), {.learning_rate = 0.05})->loss,
              free->step(noise_batch(i), {.learning_rate = 0.05})->loss);
  }
  EXPECT_EQ(thawed->weights().value(), free->weights().value());
}

TEST(FrozenBackbone, GoesOnFromAStateSavedAfterItWasUnfrozen) {
  const auto first = learner_of(small_cnn(0.3F), frozen());
  ASSERT_TRUE(first->unfreeze());
  ASSERT_TRUE(first->step(noise_batch(1), {.learning_rate = 0.1}));
  const auto state = first->save_state().value();
  const auto second = learner_of(small_cnn(0.3F), frozen());
  EXPECT_FALSE(second->load_state(state));  // still frozen: other tensors
  ASSERT_TRUE(second->unfreeze());
  ASSERT_TRUE(second->load_state(state));
  for (const auto& learner : {first.get(), second.get()})
    ASSERT_TRUE(learner->step(noise_batch(2), {.learning_rate = 0.1}));
  EXPECT_EQ(first->weights().value(), second->weights().value());
}

TEST(FrozenBackbone, NeedsSomethingAboveIt) {
  model::Graph graph{"headless", {3, 8, 8}, {}};
  graph.then("conv", model::Conv2d{.out_channels = 3});
  graph.then("pool", model::GlobalAveragePool{});
  EXPECT_THAT(make_learner(graph, frozen()).error().message, HasSubstr("nothing to train"));
}

}  // namespace
}  // namespace imago::nn
