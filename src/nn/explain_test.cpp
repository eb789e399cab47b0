// SPDX-License-Identifier: Apache-2.0
#include "nn/explain.hpp"

#include <gmock/gmock.h>

#include "nn/test_networks.hpp"

namespace imago::nn {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::FloatNear;
using ::testing::HasSubstr;
using namespace testing;

/// A 1 x 1 convolution that copies red and green, then `pool`, then a linear layer.
model::Graph two_planes(model::Layer pool, int outputs) {
  model::Graph graph{"two-planes", {3, 2, 2}, {}};
  graph.then("conv", model::Conv2d{.out_channels = 2, .kernel = 1, .bias = false});
  graph.then("pool", std::move(pool));
  graph.then("fc", model::Linear{outputs});
  return graph;
}

model::Weights weights_of(std::vector<std::int64_t> shape, std::vector<float> fc, std::vector<float> bias) {
  const auto outputs = static_cast<std::int64_t>(bias.size());
  return {{"conv.weight", {{2, 3, 1, 1}, {1, 0, 0, 0, 1, 0}}},
          {"fc.weight", {std::move(shape), std::move(fc)}},
          {"fc.bias", {{outputs}, std::move(bias)}}};
}

/// Red 1 2 3 4, green 4 0 0 2.
image::ImageBatch picture() {
  return {.n = 1, .channels = 3, .height = 2, .width = 2, .data = {1, 2, 3, 4, 4, 0, 0, 2, 9, 9, 9, 9}};
}

TEST(GradCam, IsTheWeightedSumOfPlanesAfterAGlobalAverage) {
  // Mean red 2.5, mean green 1.5. dy_c/dA_k is fc[c][k] / 4 everywhere, so the map of class c is proportional to
  // max(0, fc[c][0] * red + fc[c][1] * green).
  const auto graph = two_planes(model::GlobalAveragePool{}, 2);
  const auto weights = weights_of({2, 2}, {1.0F, -1.0F, -2.0F, 3.0F}, {0.5F, 0.0F});
  const auto first = grad_cam(graph, weights, picture(), 0);  // 1 - 4, 2 - 0, 3 - 0, 4 - 2
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_THAT(first->heatmap, ElementsAre(0.0F, FloatEq(2.0F / 3.0F), 1.0F, FloatEq(2.0F / 3.0F)));
  EXPECT_EQ(first->layer, "conv");
  EXPECT_EQ(first->predicted_index, 0);  // 2.5 - 1.5 + 0.5 against -5 + 4.5
  EXPECT_NEAR(first->probabilities[0], 1.0 / (1.0 + std::exp(-2.0)), 1e-6);
  const auto second = grad_cam(graph, weights, picture(), 1);  // -2 + 12, -4, -6, -8 + 6
  EXPECT_THAT(second->heatmap, ElementsAre(1.0F, 0.0F, 0.0F, 0.0F));
  EXPECT_EQ(second->class_index, 1);
  EXPECT_EQ(second->predicted_index, 0);
  const auto predicted = grad_cam(graph, weights, picture(), std::nullopt, 2.0);
  EXPECT_EQ(predicted->class_index, 0);
  EXPECT_NEAR(predicted->probabilities[0], 1.0 / (1.0 + std::exp(-1.0)), 1e-6);
}

TEST(GradCam, AveragesGradientsThatDifferByPlace) {
  // Flattened, each place has its own weight; Grad-CAM takes their mean: red (1 + 0 + 0 + 3) / 4 = 1, green -0.5.
  const auto graph = two_planes(model::Flatten{}, 1);
  const auto weights = weights_of({1, 8}, {1, 0, 0, 3, -2, 0, 0, 0}, {-100.0F});
  const auto one = grad_cam(graph, weights, picture(), 1);  // 1 - 2, 2, 3, 4 - 1
  ASSERT_TRUE(one) << one.error().message;
  EXPECT_THAT(one->heatmap, ElementsAre(0.0F, FloatEq(2.0F / 3.0F), 1.0F, 1.0F));
  EXPECT_EQ(one->predicted_index, 0);
  EXPECT_EQ(one->probabilities.size(), 2U);
  const auto other = grad_cam(graph, weights, picture(), std::nullopt);  // class 0: the negated logit, -1 + 2, ...
  EXPECT_EQ(other->class_index, 0);
  EXPECT_THAT(other->heatmap, ElementsAre(1.0F, 0.0F, 0.0F, 0.0F));
}

TEST(GradCam, IsAllZeroWhenNothingSpeaksForTheClass) {
  const auto graph = two_planes(model::GlobalAveragePool{}, 2);
  const auto map = grad_cam(graph, weights_of({2, 2}, {-1, -1, 1, 1}, {0, 0}), picture(), 0);
  EXPECT_THAT(map->heatmap, Each(0.0F));
}

TEST(GradCam, LooksAtTheLastPlanesOfTheNetworkTheLearnerTrained) {
  const auto learner = learner_of(small_cnn(0.5F));
  const auto images = noise(1, 8, 3);
  const auto map = grad_cam(small_cnn(0.5F), learner->weights().value(), images, std::nullopt);
  ASSERT_TRUE(map) << map.error().message;
  EXPECT_EQ(map->layer, "pool");
  EXPECT_EQ(map->width, 4);
  EXPECT_EQ(map->height, 4);
  const auto logits = learner->classify(images).value();
  const auto expected = model::softmax(logits.row(0));
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(map->probabilities[i], expected[i], 1e-6);
}

TEST(GradCam, SaysWhatDoesNotFit) {
  const auto graph = two_planes(model::GlobalAveragePool{}, 2);
  const auto weights = weights_of({2, 2}, {1, -1, -2, 3}, {0, 0});
  EXPECT_EQ(grad_cam(graph, weights, picture(), 2).error().message, "class 2, but 2 classes");
  EXPECT_FALSE(grad_cam(graph, weights, picture(), -1));
  EXPECT_THAT(grad_cam(graph, weights, noise(1, 3, 1), 0).error().message, HasSubstr("[3, 3, 3] for one that is"));
  EXPECT_EQ(grad_cam(graph, {}, picture(), 0).error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(grad_cam(linear(2), learner_of(linear(2))->weights().value(), noise(1, 1, 1), 0).error().code,
            ErrorCode::Unsupported);
}

}  // namespace
}  // namespace imago::nn
