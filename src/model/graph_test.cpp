// SPDX-License-Identifier: Apache-2.0
#include "model/graph.hpp"

#include <gmock/gmock.h>

#include "model/architectures.hpp"

namespace imago::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Graph small() {
  Graph graph{.architecture = "small", .input = {3, 8, 8}, .nodes = {}};
  graph.then("conv", Conv2d{.out_channels = 4, .padding = Padding::same(3)});
  graph.then("bn", BatchNorm2d{});
  graph.then("gap", GlobalAveragePool{});
  graph.then("fc", Linear{2});
  return graph;
}

Weights zero_weights(const Graph& graph) {
  Weights weights;
  const auto shapes = weight_shapes(graph);
  for (const auto& [name, shape] : *shapes) {
    std::size_t size = 1;
    for (const auto side : shape) size *= static_cast<std::size_t>(side);
    weights[name] = {shape, std::vector<float>(size)};
  }
  return weights;
}

void expect_refused(const Graph& graph, const std::string& why) {
  const auto result = summarize(graph);
  ASSERT_FALSE(result) << "expected: " << why;
  EXPECT_EQ(result.error().code, ErrorCode::InvalidArgument);
  EXPECT_THAT(result.error().message, HasSubstr(why));
}

TEST(Graph, CountsShapesParametersAndMacsOfEachNode) {
  const auto nodes = summarize(small());
  ASSERT_TRUE(nodes) << nodes.error().message;
  EXPECT_THAT((*nodes)[0].output, ElementsAre(4, 8, 8));
  EXPECT_EQ((*nodes)[0].parameters, 4 * 3 * 9 + 4);
  EXPECT_EQ((*nodes)[0].macs, 4 * 3 * 9 * 64);
  EXPECT_EQ((*nodes)[1].parameters, 8);
  EXPECT_THAT((*nodes)[2].output, ElementsAre(4));
  EXPECT_EQ((*nodes)[3].macs, 8);
}

TEST(Graph, AnAsymmetricPaddingAndAStrideGiveTensorFlowsSizes) {
  Graph graph{.architecture = "mobile", .input = {3, 224, 224}, .nodes = {}};
  graph.then("conv", Conv2d{.out_channels = 32, .stride = 2, .padding = {0, 0, 1, 1}});
  graph.then("depthwise", Conv2d{.out_channels = 32, .padding = Padding::same(3), .groups = 32});
  graph.then("gap", GlobalAveragePool{});
  const auto nodes = summarize(graph);
  ASSERT_TRUE(nodes) << nodes.error().message;
  EXPECT_THAT((*nodes)[0].output, ElementsAre(32, 112, 112));
  EXPECT_EQ((*nodes)[1].parameters, 32 * 9 + 32);
}

TEST(Graph, RefusesANetworkThatDoesNotFitTogether) {
  Graph graph = small();
  graph.nodes[3].name = "conv";
  expect_refused(graph, "node 'conv' (linear): the name is used twice");
  graph = small();
  graph.nodes[1].name = "No Spaces";
  expect_refused(graph, "node 1 is named 'No Spaces'");
  graph = small();
  graph.nodes[1].inputs = {1};
  expect_refused(graph, "node 'bn' (batch_norm2d): input 1 is not an earlier node");
  graph = small();
  graph.nodes[1].inputs = {0, 0};
  expect_refused(graph, "takes 1 input(s), got 2");
  graph = small();
  graph.nodes[0].layer = Conv2d{.out_channels = 4, .kernel = 9};
  expect_refused(graph, "kernel 9 is larger than its input of 8");
  graph = small();
  graph.nodes[0].layer = Conv2d{.out_channels = 4, .kernel = 3, .groups = 2};
  expect_refused(graph, "groups 2 does not divide 3 input");
  graph = small();
  graph.nodes.pop_back();
  graph.nodes.pop_back();
  expect_refused(graph, "gives [4, 8, 8], not a row of logits");
  graph = small();
  graph.append("sum", Add{}, {1, 2});
  expect_refused(graph, "cannot add [4, 8, 8] and [4]");
  expect_refused(Graph{}, "1 to 4096 nodes");
}

TEST(Graph, SizesThatWouldOverflowAreRefusedBeforeAnythingIsMultiplied) {
  Graph graph{.architecture = "bomb", .input = {3, 8192, 8192}, .nodes = {}};
  graph.then("conv", Conv2d{.out_channels = 65536, .padding = Padding::same(3)});
  graph.then("gap", GlobalAveragePool{});
  expect_refused(graph, "more than 2^30 values");
  graph.nodes[0].layer = Conv2d{.out_channels = 2'000'000'000};
  expect_refused(graph, "must be positive and sane");
  graph = Graph{.architecture = "bomb", .input = {3, 8192, 8192}, .nodes = {}};
  graph.then("flatten", Flatten{});
  graph.then("fc", Linear{65536});
  expect_refused(graph, "its weight [65536, 201326592] has more than 2^30 values");
}

TEST(Graph, WeightsAreHeldToTheGraph) {
  const Graph graph = small();
  Weights weights = zero_weights(graph);
  EXPECT_TRUE(check_weights(graph, weights));
  weights["fc.bias"].shape = {3};
  EXPECT_THAT(check_weights(graph, weights).error().message, HasSubstr("'fc.bias' is [3], but small needs [2]"));
  weights["fc.bias"].shape = {2};
  weights["fc.bias"].data.pop_back();
  EXPECT_THAT(check_weights(graph, weights).error().message, HasSubstr("'fc.bias' has 1 values"));
  weights.erase("fc.bias");
  EXPECT_THAT(check_weights(graph, weights).error().message, HasSubstr("no 'fc.bias' [2]"));
  weights = zero_weights(graph);
  weights["extra"] = {};
  EXPECT_THAT(check_weights(graph, weights).error().message, HasSubstr("'extra' is not part of small"));
}

TEST(GraphJson, EveryArchitectureComesBackAsItWas) {
  for (const std::string& name : architecture_names()) {
    const auto graph = build_graph(name, {});
    ASSERT_TRUE(graph) << graph.error().message;
    const auto parsed = json::parse(json::dump(to_json(*graph)));
    const auto back = graph_from_json(*parsed);
    ASSERT_TRUE(back) << name << ": " << back.error().message;
    EXPECT_EQ(*back, *graph) << name;
  }
}

TEST(GraphJson, IsReadable) {
  const auto value = to_json(small());
  EXPECT_EQ(json::dump(value["nodes"][1]),
            R"({"name":"bn","kind":"batch_norm2d","inputs":[0],"eps":1e-05,"momentum":0.1,"learn_scale":true})");
}

TEST(GraphJson, NamesWhatIsWrong) {
  const auto refused = [](auto&& change) {
    json::Value value = to_json(small());
    change(value);
    const auto graph = graph_from_json(value);
    return graph ? std::string("accepted") : graph.error().message;
  };
  EXPECT_THAT(refused([](json::Value& v) { v["nodes"][0]["kind"] = "conv3d"; }),
              HasSubstr("node 0: there is no kind of layer 'conv3d'"));
  EXPECT_THAT(refused([](json::Value& v) { v["nodes"][0]["dilation"] = 2; }),
              HasSubstr("node 0: there is no field 'dilation'"));
  EXPECT_THAT(refused([](json::Value& v) { v["nodes"][0].erase("stride"); }), HasSubstr("stride"));
  EXPECT_THAT(refused([](json::Value& v) { v["nodes"][0]["padding"] = {1, 1}; }), HasSubstr("'padding' has 2 numbers"));
  EXPECT_THAT(refused([](json::Value& v) { v["nodes"][0]["init"] = "luck"; }), HasSubstr("'init' cannot be 'luck'"));
  EXPECT_THAT(refused([](json::Value& v) { v["nodes"][0]["out_channels"] = 1e12; }), HasSubstr("out_channels"));
  EXPECT_THAT(refused([](json::Value& v) { v["input"].erase("height"); }), HasSubstr("height"));
  EXPECT_THAT(refused([](json::Value& v) { v["nodes"] = 7; }), HasSubstr("'nodes' is 7"));
}

}  // namespace
}  // namespace imago::model
