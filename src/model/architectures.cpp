// SPDX-License-Identifier: Apache-2.0
#include "model/architectures.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "model/architecture_settings.hpp"
#include "model/mobilenet_v2.hpp"

namespace imago::model {
namespace {

Conv2d conv3x3(int channels, bool bias = true) {
  return {.out_channels = channels, .kernel = 3, .padding = Padding::same(3), .bias = bias};
}

/// conv, BatchNorm where wanted, ReLU, 2x2 max pool, once for each width.
void add_plain_blocks(Graph& graph, std::initializer_list<int> widths, bool batch_norm, bool bias = true) {
  int block = 0;
  for (const int width : widths) {
    ++block;
    graph.then(fmt::format("conv{}", block), conv3x3(width, bias));
    if (batch_norm) graph.then(fmt::format("bn{}", block), BatchNorm2d{});
    graph.then(fmt::format("relu{}", block), Activate{Activation::Relu});
    graph.then(fmt::format("pool{}", block), Pool2d{});
  }
}

/// Linear, ReLU, dropout, Linear.
void add_dense_head(Graph& graph, int hidden, float dropout, int outputs) {
  graph.then("fc1", Linear{hidden});
  graph.then("relu_fc1", Activate{Activation::Relu});
  if (dropout > 0.0F) graph.then("dropout", Dropout{dropout});
  graph.then("fc2", Linear{outputs});
}

/// S2's SimpleCNN, as printed: two convolutions, no normalisation, 2,122,186 parameters at 32 x 32.
void simple_cnn(Graph& graph, int classes, Settings&) {
  add_plain_blocks(graph, {32, 64}, false);
  graph.then("flatten", Flatten{});
  add_dense_head(graph, 512, 0.0F, classes);
}

/// S2's ImprovedCNN, as printed: 586,250 parameters and 8.5 MMAC at 32 x 32.
void improved_cnn(Graph& graph, int classes, Settings& settings) {
  add_plain_blocks(graph, {32, 64, 64}, false);
  graph.then("flatten", Flatten{});
  add_dense_head(graph, 512, settings.number("dropout", 0.5F, 0.0F, 0.95F), classes);
}

/// ImprovedCNN with the BatchNorm that S2's text has and its code has not; its shift makes the convolutions' biases
/// needless.
void improved_cnn_bn(Graph& graph, int classes, Settings& settings) {
  add_plain_blocks(graph, {32, 64, 64}, true, false);
  graph.then("flatten", Flatten{});
  add_dense_head(graph, 512, settings.number("dropout", 0.5F, 0.0F, 0.95F), classes);
}

/// S1's Keras network, with Keras's BatchNorm (after the ReLU, eps 1e-3, momentum 0.99). Keras says 621,258 parameters
/// because it counts 448 running statistics; learned are 620,810.
void three_block_cnn(Graph& graph, int classes, Settings& settings) {
  int block = 0;
  for (const int width : {32, 64, 128}) {
    ++block;
    graph.then(fmt::format("conv{}", block), conv3x3(width));
    graph.then(fmt::format("relu{}", block), Activate{Activation::Relu});
    graph.then(fmt::format("bn{}", block), BatchNorm2d{.eps = 1e-3F, .momentum = 0.01F});
    graph.then(fmt::format("pool{}", block), Pool2d{});
  }
  graph.then("flatten", Flatten{});
  add_dense_head(graph, 256, settings.number("dropout", 0.5F, 0.0F, 0.95F), classes);
}

/// S3's network: any input size, 102,017 parameters; two classes share one output, the logit of the second.
void gap_cnn(Graph& graph, int classes, Settings& settings) {
  add_plain_blocks(graph, {32, 64, 128}, true);
  graph.then("gap", GlobalAveragePool{});
  add_dense_head(graph, 64, settings.number("dropout", 0.5F, 0.0F, 0.95F), classes == 2 ? 1 : classes);
}

void conv_bn_relu(Graph& graph, const std::string& name, int channels) {
  graph.then(name + ".conv", conv3x3(channels, false));
  graph.then(name + ".bn", BatchNorm2d{});
  graph.then(name + ".relu", Activate{Activation::Relu});
}

void residual(Graph& graph, const std::string& name, int channels) {
  const int from = static_cast<int>(graph.nodes.size()) - 1;
  conv_bn_relu(graph, name + ".1", channels);
  conv_bn_relu(graph, name + ".2", channels);
  graph.append(name + ".add", Add{}, {from, static_cast<int>(graph.nodes.size()) - 1});
}

/// ResNet-9 of David Page's "How to Train Your ResNet" (DAWNBench 2018): 6,573,120 parameters at width 64.
void resnet9(Graph& graph, int classes, Settings& settings) {
  const int width = settings.number("width", 64, 1, kMaxWidth / 8);
  const float scale = settings.number("logit_scale", 0.125F, 1e-6F, 1e6F);
  conv_bn_relu(graph, "prep", width);
  for (int layer = 1; layer <= 3; ++layer) {
    const std::string name = fmt::format("layer{}", layer);
    const int channels = width << layer;
    conv_bn_relu(graph, name, channels);
    graph.then(name + ".pool", Pool2d{});
    if (layer != 2) residual(graph, name + ".residual", channels);
  }
  graph.then("global_pool", GlobalMaxPool{});
  graph.then("head", Linear{classes, false});
  graph.then("scale", Scale{scale});
}

/// What airbench94 and its relatives differ in.
struct AirbenchDefaults {
  std::vector<int> widths;
  std::string activation;
  int convs_per_block = 2;
  bool residual = false;
  float bn_momentum = 0.4F;
};

constexpr std::array<std::string_view, 4> kActivationNames{"gelu", "relu", "silu", "relu6"};
constexpr std::array kActivations{Activation::Gelu, Activation::Relu, Activation::Silu, Activation::Relu6};

/// Keller Jordan's airbench94: a frozen whitening convolution, then blocks of conv, pool, BatchNorm without scale.
/// `widths` has one number a block; `residual` lets a block's first output go round its other convolutions. `stride` 2
/// quarters the cost of all that follows; `downsample` "stride" lets a block's first convolution stride rather than
/// pool, at a quarter of its cost. Source: requirements 5.2 and 5.3; "94% on CIFAR-10 in 3.29 seconds".
void airbench(Graph& graph, int classes, Settings& settings, const AirbenchDefaults& defaults) {
  const auto widths = settings.widths("widths", defaults.widths);
  const auto function =
      kActivations[static_cast<std::size_t>(settings.choice("activation", kActivationNames, defaults.activation))];
  const bool strided = settings.choice("downsample", std::array<std::string_view, 2>{"pool", "stride"}, "pool") == 1;
  const int kernel = settings.number("whitening_kernel", 2, 1, 7);
  const int stride = settings.number("whitening_stride", 1, 1, 4);
  const int convs = settings.number("convs_per_block", defaults.convs_per_block, 1, 4);
  const bool residual = settings.flag("residual", defaults.residual);
  const BatchNorm2d norm{.eps = 1e-12F,
                         .momentum = settings.number("bn_momentum", defaults.bn_momentum, 1e-4F, 1.0F),
                         .learn_scale = false};
  const float scale = settings.number("logit_scale", 1.0F / 9.0F, 1e-6F, 1e6F);

  graph.then("whiten", Conv2d{.out_channels = 2 * graph.input.channels * kernel * kernel,
                              .kernel = kernel,
                              .stride = stride,
                              .init = Init::Whitening,
                              .freeze_weight = true});
  graph.then("whiten.act", Activate{function});
  for (std::size_t block = 1; block <= widths.size(); ++block) {
    int first = 0;  // the node after the first convolution's activation
    for (int i = 1; i <= convs; ++i) {
      const std::string name = fmt::format("block{}.{}", block, i);
      Conv2d conv = conv3x3(widths[block - 1], false);
      conv.init = Init::Identity;
      if (strided && i == 1) conv.stride = 2;
      graph.then(name + ".conv", conv);
      if (!strided && i == 1) graph.then(name + ".pool", Pool2d{});
      const int sum = graph.then(name + ".bn", norm);
      if (residual && i > 1 && i == convs) graph.append(name + ".add", Add{}, {first, sum});
      const int end = graph.then(name + ".act", Activate{function});
      if (i == 1) first = end;
    }
  }
  graph.then("global_pool", GlobalMaxPool{});
  graph.then("head", Linear{classes, false});
  graph.then("scale", Scale{scale});
}

/// As published: 1,971,640 parameters, 118.15 MMAC at 32 x 32.
void airbench94(Graph& graph, int classes, Settings& settings) {
  airbench(graph, classes, settings, {.widths = {64, 256, 256}, .activation = "gelu"});
}

/// As published (legacy/airbench96.py): wider, a third convolution a block with a residual over the last two,
/// BatchNorm's momentum PyTorch's; 9,915,704 parameters.
void airbench96(Graph& graph, int classes, Settings& settings) {
  airbench(
      graph, classes, settings,
      {.widths = {128, 384, 512}, .activation = "gelu", .convs_per_block = 3, .residual = true, .bn_momentum = 0.1F});
}

/// airbench94's shape, narrow enough for minutes on a few processor cores.
void quick(Graph& graph, int classes, Settings& settings) {
  airbench(graph, classes, settings, {.widths = {32, 64, 128}, .activation = "relu"});
}

using Builder = void (*)(Graph&, int, Settings&);
constexpr std::array<std::pair<std::string_view, Builder>, 10> kArchitectures{{
    {"airbench94", airbench94},
    {"airbench96", airbench96},
    {"gap-cnn", gap_cnn},
    {"improved-cnn", improved_cnn},
    {"improved-cnn-bn", improved_cnn_bn},
    {"mobilenet-v2", mobilenet_v2},
    {"quick", quick},
    {"resnet9", resnet9},
    {"simple-cnn", simple_cnn},
    {"three-block-cnn", three_block_cnn},
}};

}  // namespace

std::vector<std::string> architecture_names() {
  std::vector<std::string> names;
  for (const auto& [name, builder] : kArchitectures) names.emplace_back(name);
  return names;
}

Result<Graph> build_graph(std::string_view name, const ArchitectureOptions& options) {
  const auto found = std::ranges::find(kArchitectures, name, &std::pair<std::string_view, Builder>::first);
  if (found == kArchitectures.end()) {
    return fail(ErrorCode::NotFound, "no architecture '{}'; there are {}", name, fmt::join(architecture_names(), ", "));
  }
  if (options.classes < 2 || options.classes > 65'536) {
    return fail(ErrorCode::InvalidArgument, "{}: {} classes, not 2 to 65536", name, options.classes);
  }
  Graph graph{.architecture = std::string(name), .input = options.input, .nodes = {}};
  Settings settings(options.settings);
  found->second(graph, options.classes, settings);
  if (auto known = settings.finish(); !known) return pass(known, name);
  if (auto sound = summarize(graph); !sound) {
    const InputShape& input = options.input;
    return pass(sound, fmt::format("{} on {} x {} x {}", name, input.channels, input.height, input.width));
  }
  return graph;
}

}  // namespace imago::model
