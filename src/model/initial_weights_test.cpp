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

TEST(MeanWeights, IsTheMeanOfEachNumber) {
  const std::vector<Weights> trained{{{"fc.weight", {{1, 2}, {1.0F, -2.0F}}}, {"fc.bias", {{1}, {0.5F}}}},
                                     {{"fc.weight", {{1, 2}, {2.0F, 0.0F}}}, {"fc.bias", {{1}, {0.0F}}}},
                                     {{"fc.weight", {{1, 2}, {6.0F, 5.0F}}}, {"fc.bias", {{1}, {-2.0F}}}}};
  EXPECT_EQ(mean_weights(trained).value(),
            (Weights{{"fc.weight", {{1, 2}, {3.0F, 1.0F}}}, {"fc.bias", {{1}, {-0.5F}}}}));
}

TEST(MeanWeights, NamesWhatIsNotInAll) {
  const Weights one{{"a", {{1}, {1.0F}}}, {"b", {{2}, {1.0F, 2.0F}}}};
  const auto refusal = [&](const Weights& other) { return mean_weights(std::vector{one, other}).error().message; };
  EXPECT_THAT(refusal({{"a", {{1}, {1.0F}}}}), HasSubstr("tensor b"));
  EXPECT_THAT(refusal({{"a", {{1}, {1.0F}}}, {"b", {{1, 2}, {1.0F, 2.0F}}}}), HasSubstr("tensor b"));
  EXPECT_THAT(refusal({{"a", {{1}, {1.0F}}}, {"b", one.at("b")}, {"c", {{}, {0.0F}}}}), HasSubstr("tensor c"));
  EXPECT_EQ(mean_weights(std::vector{one}).error().code, ErrorCode::InvalidArgument);
}

}  // namespace
}  // namespace imago::model
