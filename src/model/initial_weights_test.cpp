// SPDX-License-Identifier: Apache-2.0
#include "model/initial_weights.hpp"

#include <gmock/gmock.h>

#include <numeric>

namespace imago::model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Convolution, ReLU, pool, a hidden layer, `classes` outputs.
Graph network(int classes, int width = 2) {
  Graph graph{.architecture = "net", .input = {3, 4, 4}, .nodes = {}};
  graph.then("conv", Conv2d{.out_channels = width, .kernel = 1});
  graph.then("relu", Activate{});
  graph.then("pool", GlobalAveragePool{});
  graph.then("fc", Linear{classes});
  return graph;
}

Weights filled(const Graph& graph, float value) {
  Weights weights;
  const auto shapes = weight_shapes(graph);
  for (const auto& [name, shape] : *shapes) {
    const auto size = std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
    weights[name] = {shape, std::vector<float>(static_cast<std::size_t>(size), value)};
  }
  return weights;
}

TEST(InitialWeights, TakesAllThatFits) {
  const auto graph = network(3);
  for (const bool strict : {false, true}) {
    const auto taken = take_initial_weights(graph, filled(graph, 0.0F), filled(graph, 1.0F), strict);
    ASSERT_TRUE(taken) << taken.error().message;
    EXPECT_EQ(taken->weights, filled(graph, 1.0F));
    EXPECT_THAT(taken->kept, IsEmpty());
    EXPECT_THAT(taken->unused, IsEmpty());
  }
}

TEST(InitialWeights, LeavesAHeadOfOtherSizeUnlessStrict) {
  const auto graph = network(3);
  const auto given = filled(network(10), 1.0F);
  const auto taken = take_initial_weights(graph, filled(graph, 0.0F), given, false);
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_THAT(taken->kept, ElementsAre("fc.bias", "fc.weight"));
  EXPECT_EQ(taken->weights.at("conv.weight"), given.at("conv.weight"));
  EXPECT_EQ(taken->weights.at("fc.weight"), filled(graph, 0.0F).at("fc.weight"));
  EXPECT_THAT(take_initial_weights(graph, filled(graph, 0.0F), given, true).error().message,
              HasSubstr("weight 'fc.bias' is [10], but net needs [3]"));
}

TEST(InitialWeights, RefusesABackboneOfOtherShapeAndNamesBoth) {
  const auto graph = network(3);
  for (const bool strict : {false, true}) {
    EXPECT_THAT(take_initial_weights(graph, filled(graph, 0.0F), filled(network(3, 5), 1.0F), strict).error().message,
                HasSubstr("weight 'conv.bias' is [5], but net needs [2]"));
  }
}

TEST(InitialWeights, TakesABackboneAloneAndNamesWhatItHasNoPlaceFor) {
  const auto graph = network(3);
  auto given = filled(graph, 1.0F);
  given.erase("fc.weight");
  given.erase("fc.bias");
  given["classifier.weight"] = {{1}, {1.0F}};
  const auto taken = take_initial_weights(graph, filled(graph, 0.0F), given, false);
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_THAT(taken->kept, ElementsAre("fc.bias", "fc.weight"));
  EXPECT_THAT(taken->unused, ElementsAre("classifier.weight"));
  EXPECT_THAT(take_initial_weights(graph, filled(graph, 0.0F), {{"x", {{1}, {1.0F}}}}, false).error().message,
              HasSubstr("not one of these 1 tensors belongs to net"));
}

}  // namespace
}  // namespace imago::model
