// SPDX-License-Identifier: Apache-2.0
// Parameter and MAC counts are the ones published for each network (requirements 1.3 and 5.1).
#include "model/architectures.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <numeric>

namespace imago::model {
namespace {

using testing::HasSubstr;

struct Totals {
  std::int64_t parameters = 0, macs = 0;
  Shape output;
};

Totals totals(std::string_view name, const ArchitectureOptions& options = {}) {
  const auto graph = build_graph(name, options);
  EXPECT_TRUE(graph) << graph.error().message;
  Totals totals;
  const auto nodes = summarize(*graph);
  for (const NodeSummary& node : *nodes) {
    totals.parameters += node.parameters;
    totals.macs += node.macs;
    totals.output = node.output;
  }
  return totals;
}

std::string refusal(std::string_view name, const json::Value& settings) {
  const auto graph = build_graph(name, {.settings = settings});
  return graph ? "accepted" : graph.error().message;
}

TEST(Architectures, EachGivesALogitAClass) {
  for (const std::string& name : architecture_names()) EXPECT_EQ(totals(name, {.classes = 7}).output, Shape{7}) << name;
}

TEST(Architectures, SimpleCnnIsS2s) { EXPECT_EQ(totals("simple-cnn").parameters, 2'122'186); }

TEST(Architectures, ImprovedCnnIsS2s) {
  EXPECT_EQ(totals("improved-cnn").parameters, 586'250);
  EXPECT_EQ(totals("improved-cnn").macs, 8'492'032);  // "8.5 MMAC"
  EXPECT_EQ(totals("improved-cnn-bn").parameters, 586'250 + 32 + 64 + 64);
}

TEST(Architectures, ThreeBlockCnnIsS1sWhoseKerasCountsRunningStatisticsToo) {
  const auto graph = build_graph("three-block-cnn", {});
  std::int64_t with_statistics = 0;
  const auto shapes = weight_shapes(*graph);
  for (const auto& [name, shape] : *shapes) {
    with_statistics += std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
  }
  EXPECT_EQ(with_statistics, 621'258);
  EXPECT_EQ(totals("three-block-cnn").parameters, 621'258 - 2 * (32 + 64 + 128));
  EXPECT_NEAR(static_cast<double>(totals("three-block-cnn").macs), 10.8e6, 0.1e6);
}

TEST(Architectures, GapCnnIsS3sAndHasOneOutputForTwoClasses) {
  const ArchitectureOptions at128{.input = {3, 128, 128}, .classes = 2};
  const ArchitectureOptions at224{.input = {3, 224, 224}, .classes = 2};
  EXPECT_EQ(totals("gap-cnn", at128).parameters, 102'017);
  EXPECT_EQ(totals("gap-cnn", at128).output, Shape{1});
  EXPECT_NEAR(static_cast<double>(totals("gap-cnn", at128).macs), 165e6, 0.5e6);
  EXPECT_NEAR(static_cast<double>(totals("gap-cnn", at224).macs), 506e6, 0.5e6);
}

TEST(Architectures, Airbench94IsThePublishedOne) {
  EXPECT_EQ(totals("airbench94").parameters, 1'971'640);
  EXPECT_NEAR(static_cast<double>(totals("airbench94").macs), 118.15e6, 0.01e6);
}

TEST(Architectures, Airbench96IsThePublishedOne) {
  // Whitening 3 * 4 * 24 + 24; a block of widths c -> w has 9 * (c * w + 2 * w * w) weights and 3 * w biases; 512 * 10.
  const auto block = [](std::int64_t c, std::int64_t w) { return 9 * (c * w + 2 * w * w) + 3 * w; };
  EXPECT_EQ(totals("airbench96").parameters, 312 + block(24, 128) + block(128, 384) + block(384, 512) + 5120);
  EXPECT_EQ(totals("airbench96").parameters, 9'915'704);
  const auto graph = build_graph("airbench96", {});
  const auto node = [&](const char* name) {
    return static_cast<int>(std::ranges::find(graph->nodes, name, &Node::name) - graph->nodes.begin());
  };
  const auto inputs = [&](const char* name) { return graph->nodes[static_cast<std::size_t>(node(name))].inputs; };
  EXPECT_EQ(inputs("block2.3.add"), (std::vector<int>{node("block2.1.act"), node("block2.3.bn")}));
  EXPECT_EQ(inputs("block2.3.act"), std::vector<int>{node("block2.3.add")});
  EXPECT_FLOAT_EQ(std::get<BatchNorm2d>(graph->nodes[static_cast<std::size_t>(node("block1.1.bn"))].layer).momentum,
                  0.1F);
}

TEST(Architectures, ResNet9IsThePublishedOne) { EXPECT_EQ(totals("resnet9").parameters, 6'573'120); }

TEST(Architectures, MobileNetV2IsThePublishedOne) {
  const ArchitectureOptions two{.input = {3, 224, 224}, .classes = 2};
  EXPECT_EQ(totals("mobilenet-v2", two).parameters, 2'223'872 + 2 * 1280 + 2);
  const ArchitectureOptions imagenet{.input = {3, 224, 224}, .classes = 1000};
  EXPECT_EQ(totals("mobilenet-v2", imagenet).parameters, 3'504'872);  // torchvision's documentation
  EXPECT_NEAR(static_cast<double>(totals("mobilenet-v2", imagenet).macs), 300.8e6, 0.1e6);
  const auto weights = weight_shapes(*build_graph("mobilenet-v2", two));
  EXPECT_EQ(weights->size(), 260U + 2U);
  EXPECT_EQ(weights->at("features.2.conv.1.0.weight"), (std::vector<std::int64_t>{96, 1, 3, 3}));
}

TEST(Architectures, MobileNetV2PadsAsItsWeightsWereTrained) {
  const auto pads = [](int side, const char* padding) {
    const auto graph = build_graph("mobilenet-v2", {.input = {3, side, 64}, .settings = {{"padding", padding}}});
    return std::get<Conv2d>(graph->nodes[0].layer).padding;
  };
  EXPECT_EQ(pads(64, "torch"), (Padding{1, 1, 1, 1}));
  EXPECT_EQ(pads(64, "tensorflow"), (Padding{0, 0, 1, 1}));
  EXPECT_EQ(pads(65, "tensorflow"), (Padding{1, 0, 1, 1}));  // an odd side is padded on both ends
  EXPECT_EQ(pads(224, "torch"), pads(225, "torch"));
}

TEST(Architectures, TellWhereTheirBackboneEnds) {
  const auto name_of = [](std::string_view name) {
    const auto graph = build_graph(name, {.input = {3, 64, 64}});
    const int end = backbone_end(*graph);
    EXPECT_TRUE(is_cut(*graph, end)) << name;
    return graph->nodes[static_cast<std::size_t>(end)].name;
  };
  EXPECT_EQ(name_of("mobilenet-v2"), "pool");
  EXPECT_EQ(name_of("simple-cnn"), "flatten");
  EXPECT_EQ(name_of("quick"), "global_pool");
  const auto residual = build_graph("resnet9", {});
  const auto add = std::ranges::find(residual->nodes, "layer1.residual.add", &Node::name) - residual->nodes.begin();
  EXPECT_TRUE(is_cut(*residual, static_cast<int>(add)));
  EXPECT_FALSE(is_cut(*residual, static_cast<int>(add) - 1));  // the branch goes round it
  EXPECT_FALSE(is_cut(*residual, -1));
}

TEST(Architectures, QuickFollowsItsSettings) {
  const auto as_airbench = totals("quick", {.settings = {{"widths", {64, 256, 256}}}});
  EXPECT_EQ(as_airbench.parameters, totals("airbench94").parameters);
  const auto narrow =
      totals("quick", {.settings = {{"widths", {16, 32}}, {"whitening_stride", 2}, {"activation", "relu"}}});
  EXPECT_LT(narrow.macs, totals("quick").macs);
  EXPECT_LT(totals("quick", {.settings = {{"downsample", "stride"}}}).macs, totals("quick").macs);
  EXPECT_LT(totals("quick", {.settings = {{"convs_per_block", 1}}}).macs, totals("quick").macs);
}

TEST(Architectures, QuickIsOfReluAndAirbench94OfGelu) {
  EXPECT_EQ(std::get<Activate>(build_graph("quick", {})->nodes[1].layer).function, Activation::Relu);
  EXPECT_EQ(std::get<Activate>(build_graph("airbench94", {})->nodes[1].layer).function, Activation::Gelu);
  const auto silu = build_graph("quick", {.settings = {{"activation", "silu"}}});
  EXPECT_EQ(std::get<Activate>(silu->nodes[1].layer).function, Activation::Silu);
}

TEST(Architectures, RefuseWhatTheyDoNotKnow) {
  const auto unknown = build_graph("resnet50", {});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::NotFound);
  EXPECT_THAT(unknown.error().message,
              HasSubstr("no architecture 'resnet50'; there are airbench94, airbench96, gap-cnn"));
  EXPECT_THAT(refusal("simple-cnn", {{"dropout", 0.5}}),
              HasSubstr("simple-cnn: there is no setting 'dropout'; it takes none"));
  EXPECT_THAT(refusal("improved-cnn", {{"drop", 0.5}}), HasSubstr("no setting 'drop'; there are dropout"));
  EXPECT_THAT(refusal("improved-cnn", {{"dropout", 1.5}}), HasSubstr("'dropout' is 1.5, not in [0, 0.95]"));
  EXPECT_THAT(refusal("improved-cnn", {{"dropout", "half"}}), HasSubstr("'dropout' is \"half\", not a number"));
  EXPECT_THAT(refusal("quick", {{"widths", json::Value::array()}}), HasSubstr("1 to 8 numbers"));
  EXPECT_THAT(refusal("quick", {{"widths", {16, 0}}}), HasSubstr("has 0, not in [1, 4096]"));
  EXPECT_THAT(refusal("quick", {{"activation", "tanh"}}), HasSubstr("not one of gelu, relu, silu, relu6"));
  EXPECT_THAT(refusal("quick", {{"widths", {8, 8, 8, 8, 8, 8}}}), HasSubstr("kernel 2 is larger than its input"));
}

TEST(Architectures, RefuseSizesThatCannotBe) {
  EXPECT_FALSE(build_graph("simple-cnn", {.classes = 1}));
  const auto tiny = build_graph("improved-cnn", {.input = {3, 4, 4}});
  ASSERT_FALSE(tiny);
  EXPECT_THAT(tiny.error().message, HasSubstr("improved-cnn on 3 x 4 x 4: node 'pool3' (pool2d)"));
}

}  // namespace
}  // namespace imago::model
