// SPDX-License-Identifier: Apache-2.0
#include "onnx/onnx_writer.hpp"

#define ONNX_ML 1  // how the library was built; only the folder's own sources are told by deps::onnx
#define ONNX_NAMESPACE onnx

#include <gmock/gmock.h>
#include <onnx/checker.h>
#include <onnx/onnx_pb.h>

#include <cstring>

#include "model/architectures.hpp"

namespace imago::onnx {
namespace {

using model::Graph;
using model::Weights;
using testing::ElementsAre;
using testing::HasSubstr;

Weights ones(const Graph& graph) {
  Weights weights;
  const auto shapes = model::weight_shapes(graph);
  EXPECTS(shapes, "the test's graph is sound");
  for (const auto& [name, shape] : *shapes) {
    std::size_t size = 1;
    for (const auto side : shape) size *= static_cast<std::size_t>(side);
    weights[name] = {shape, std::vector<float>(size, 1.0F)};
  }
  return weights;
}

/// What is in the file, after ONNX's own checker has passed it.
::onnx::ModelProto written(const Graph& graph, const Weights& weights) {
  ::onnx::ModelProto proto;
  const auto bytes = encode_onnx(graph, weights, "test");
  EXPECT_TRUE(bytes) << bytes.error().message;
  EXPECT_TRUE(bytes && proto.ParseFromString(*bytes));
  EXPECT_NO_THROW(::onnx::checker::check_model(proto));
  return proto;
}
::onnx::ModelProto written(const Graph& graph) { return written(graph, ones(graph)); }

std::vector<std::string> operators(const ::onnx::ModelProto& proto) {
  std::vector<std::string> types;
  for (const auto& node : proto.graph().node()) types.push_back(node.op_type());
  return types;
}

std::vector<float> tensor(const ::onnx::ModelProto& proto, std::string_view name) {
  for (const auto& initializer : proto.graph().initializer()) {
    if (initializer.name() != name) continue;
    std::vector<float> values(initializer.raw_data().size() / sizeof(float));
    std::memcpy(values.data(), initializer.raw_data().data(), initializer.raw_data().size());
    return values;
  }
  ADD_FAILURE() << "no initialiser " << name;
  return {};
}

std::vector<std::int64_t> ints(const ::onnx::NodeProto& node, std::string_view name) {
  for (const auto& attribute : node.attribute()) {
    if (attribute.name() != name) continue;
    if (attribute.type() == ::onnx::AttributeProto::INT) return {attribute.i()};
    return {attribute.ints().begin(), attribute.ints().end()};
  }
  ADD_FAILURE() << "no attribute " << name;
  return {};
}

Graph graph_of(std::vector<model::Layer> layers) {
  Graph graph{.architecture = "test", .input = {3, 8, 8}, .nodes = {}};
  for (auto& layer : layers) graph.then(fmt::format("n{}", graph.nodes.size()), std::move(layer));
  return graph;
}

model::Conv2d pointwise(int channels, bool bias = true) {
  return {.out_channels = channels, .kernel = 1, .bias = bias};
}

/// Whose normalisation at rest is 1.5 x - 5.5: sqrt(3.75 + 0.25) = 2, 3 / 2 = 1.5, 0.5 - 4 * 1.5 = -5.5.
Weights with_norm(const Graph& graph, const std::string& norm) {
  Weights weights = ones(graph);
  weights[norm + ".weight"].data.assign(weights[norm + ".weight"].data.size(), 3.0F);
  weights[norm + ".bias"].data.assign(weights[norm + ".bias"].data.size(), 0.5F);
  weights[norm + ".running_mean"].data.assign(weights[norm + ".running_mean"].data.size(), 4.0F);
  weights[norm + ".running_var"].data.assign(weights[norm + ".running_var"].data.size(), 3.75F);
  return weights;
}

TEST(OnnxWriter, EveryArchitecturePassesTheChecker) {
  for (const auto& name : model::architecture_names()) {
    const auto graph = model::build_graph(name, {.input = {3, 32, 32}});
    ASSERT_TRUE(graph) << graph.error().message;
    const auto proto = written(*graph);
    EXPECT_EQ(proto.graph().node(proto.graph().node_size() - 1).output(0), "logits") << name;
  }
}

TEST(OnnxWriter, SaysWhatGoesInAndOut) {
  const auto proto = written(graph_of({model::GlobalAveragePool{}, model::Linear{5}}));
  EXPECT_EQ(proto.ir_version(), 8);
  EXPECT_EQ(proto.opset_import(0).version(), 13);
  EXPECT_EQ(proto.producer_name(), "imago");
  EXPECT_EQ(proto.graph().name(), "test");
  const auto& image = proto.graph().input(0);
  EXPECT_EQ(image.name(), "image");
  EXPECT_EQ(image.type().tensor_type().shape().dim(0).dim_param(), "n");
  EXPECT_EQ(image.type().tensor_type().shape().dim(3).dim_value(), 8);
  const auto& logits = proto.graph().output(0);
  EXPECT_EQ(logits.name(), "logits");
  EXPECT_EQ(logits.type().tensor_type().shape().dim(0).dim_param(), "n");
  EXPECT_EQ(logits.type().tensor_type().shape().dim(1).dim_value(), 5);
}

TEST(OnnxWriter, FoldsBatchNormIntoTheConvolutionBeforeIt) {
  const auto graph = graph_of({pointwise(2), model::BatchNorm2d{.eps = 0.25F}, model::GlobalMaxPool{}});
  auto weights = with_norm(graph, "n1");
  weights["n0.weight"].data = {1, 2, 3, 4, 5, 6};
  weights["n0.bias"].data = {1, 2};
  const auto proto = written(graph, weights);
  EXPECT_THAT(operators(proto), ElementsAre("Conv", "GlobalMaxPool", "Flatten"));
  EXPECT_THAT(tensor(proto, "n0.weight"), ElementsAre(1.5F, 3.0F, 4.5F, 6.0F, 7.5F, 9.0F));
  EXPECT_THAT(tensor(proto, "n0.bias"), ElementsAre(-4.0F, -2.5F));  // 1.5 * 1 - 5.5, 1.5 * 2 - 5.5
}

TEST(OnnxWriter, FoldingGivesAConvolutionWithoutBiasOne) {
  const auto graph = graph_of({pointwise(2, false), model::BatchNorm2d{.eps = 0.25F}, model::GlobalMaxPool{}});
  EXPECT_THAT(tensor(written(graph, with_norm(graph, "n1")), "n0.bias"), ElementsAre(-5.5F, -5.5F));
}

TEST(OnnxWriter, KeepsBatchNormThatDoesNotFollowAConvolution) {
  const auto graph =
      graph_of({pointwise(2), model::Pool2d{}, model::BatchNorm2d{.eps = 0.25F}, model::GlobalMaxPool{}});
  const auto proto = written(graph, with_norm(graph, "n2"));
  EXPECT_THAT(operators(proto), ElementsAre("Conv", "MaxPool", "BatchNormalization", "GlobalMaxPool", "Flatten"));
  EXPECT_EQ(proto.graph().node(2).attribute(0).f(), 0.25F);
  EXPECT_THAT(tensor(proto, "n2.running_var"), ElementsAre(3.75F, 3.75F));
  EXPECT_THAT(tensor(proto, "n0.weight"), testing::Each(1.0F));
}

TEST(OnnxWriter, KeepsBatchNormWhoseConvolutionHasAnotherReader) {
  Graph graph = graph_of({pointwise(2), model::BatchNorm2d{}});
  graph.append("add", model::Add{}, {0, 1});
  graph.then("pool", model::GlobalMaxPool{});
  EXPECT_THAT(operators(written(graph)), ElementsAre("Conv", "BatchNormalization", "Add", "GlobalMaxPool", "Flatten"));
}

TEST(OnnxWriter, WritesConvolutionsWithTheirPaddingStrideAndGroups) {
  const auto proto = written(graph_of(
      {model::Conv2d{.out_channels = 6, .kernel = 4, .stride = 2, .padding = {0, 1, 2, 3}, .groups = 3, .bias = false},
       model::Flatten{}}));
  const auto& conv = proto.graph().node(0);
  EXPECT_EQ(conv.input_size(), 2);
  EXPECT_THAT(ints(conv, "kernel_shape"), ElementsAre(4, 4));
  EXPECT_THAT(ints(conv, "strides"), ElementsAre(2, 2));
  EXPECT_THAT(ints(conv, "pads"), ElementsAre(0, 1, 2, 3));  // top, left, bottom, right
  EXPECT_THAT(ints(conv, "group"), ElementsAre(3));
}

TEST(OnnxWriter, WritesEachActivationInOperatorsOfTheOpset) {
  const auto of = [](model::Activation function) {
    return operators(written(graph_of({model::Activate{function}, model::Flatten{}})));
  };
  EXPECT_THAT(of(model::Activation::Relu), ElementsAre("Relu", "Flatten"));
  EXPECT_THAT(of(model::Activation::Relu6), ElementsAre("Clip", "Flatten"));
  EXPECT_THAT(of(model::Activation::Silu), ElementsAre("Sigmoid", "Mul", "Flatten"));
  EXPECT_THAT(of(model::Activation::Gelu), ElementsAre("Div", "Erf", "Add", "Mul", "Mul", "Flatten"));
}

TEST(OnnxWriter, WritesPoolsHeadsAndScales) {
  const auto proto = written(graph_of({model::Pool2d{model::Pool::Average, 3, 2}, model::GlobalAveragePool{},
                                       model::Linear{4, false}, model::Dropout{}, model::Scale{0.125F}}));
  EXPECT_THAT(operators(proto), ElementsAre("AveragePool", "GlobalAveragePool", "Flatten", "Gemm", "Mul"));
  EXPECT_THAT(ints(proto.graph().node(0), "kernel_shape"), ElementsAre(3, 3));
  EXPECT_THAT(ints(proto.graph().node(0), "strides"), ElementsAre(2, 2));
  EXPECT_THAT(ints(proto.graph().node(3), "transB"), ElementsAre(1));
  EXPECT_EQ(proto.graph().node(3).input_size(), 2);
  EXPECT_THAT(tensor(proto, "n4:factor"), ElementsAre(0.125F));
}

TEST(OnnxWriter, DropoutAtEitherEndLeavesAWholeGraph) {
  EXPECT_THAT(operators(written(graph_of({model::Dropout{}, model::Flatten{}, model::Dropout{}}))),
              ElementsAre("Flatten"));
}

TEST(OnnxWriter, ANodeMayBeCalledImageOrLogits) {
  Graph graph{.architecture = "test", .input = {3, 8, 8}, .nodes = {}};
  graph.then("logits", pointwise(2));
  graph.then("image", model::Flatten{});
  EXPECT_THAT(operators(written(graph)), ElementsAre("Conv", "Flatten"));
}

TEST(OnnxWriter, TheSameNetworkGivesTheSameBytes) {
  const auto graph = model::build_graph("airbench94", {});
  EXPECT_EQ(*encode_onnx(*graph, ones(*graph), "a"), *encode_onnx(*graph, ones(*graph), "a"));
}

TEST(OnnxWriter, RefusesWeightsThatDoNotFit) {
  const auto graph = graph_of({pointwise(2), model::BatchNorm2d{}, model::GlobalMaxPool{}});
  auto weights = ones(graph);
  weights["n1.running_var"].data[1] = -2;
  auto refused = encode_onnx(graph, weights, "test");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::InvalidArgument);
  EXPECT_THAT(refused.error().message, HasSubstr("'n1.running_var' is -2 at 1"));
  weights.erase("n0.bias");
  refused = encode_onnx(graph, weights, "test");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::InvalidArgument);
  EXPECT_THAT(refused.error().message, HasSubstr("n0.bias"));
  EXPECT_FALSE(encode_onnx(graph, ones(graph), ""));
}

}  // namespace
}  // namespace imago::onnx
