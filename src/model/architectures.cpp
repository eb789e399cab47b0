// SPDX-License-Identifier: Apache-2.0
#include "model/architectures.hpp"

#include <fmt/ranges.h>

#include <array>

namespace imago::model {
namespace {

/// A recipe's settings, read one by one; what nobody asked for is an error.
class Settings {
 public:
  explicit Settings(json::Value values) : values_(std::move(values)) {}

  template <class T>
  Result<T> take(const std::string& key, T otherwise) {
    auto value = json::get_or<T>(values_, key, std::move(otherwise));
    known_.push_back(key);
    values_.erase(key);
    return value;
  }

  Result<void> done() const {
    for (const auto& [key, ignored] : values_.items())
      return fail(ErrorCode::InvalidArgument, "the architecture has no setting '{}'; it has: {}", key,
                  known_.empty() ? "none" : fmt::format("{}", fmt::join(known_, ", ")));
    return {};
  }

 private:
  json::Value values_;
  std::vector<std::string> known_;
};

Conv2d conv3x3(int channels, bool bias = true) {
  return {.out_channels = channels, .padding = Padding::same(3), .bias = bias};
}

/// S2's SimpleCNN (requirements 1.3 model B): 2 convolutions with pooling, 512 hidden units.
Result<Graph> simple_cnn(const ArchitectureOptions& options, Settings&) {
  Graph graph{.architecture = "simple-cnn", .input = options.input, .nodes = {}};
  for (const auto& [name, channels] : {std::pair{"1", 32}, {"2", 64}}) {
    graph.then(fmt::format("conv{}", name), conv3x3(channels));
    graph.then(fmt::format("relu{}", name), Activate{});
    graph.then(fmt::format("pool{}", name), Pool2d{});
  }
  graph.then("flatten", Flatten{});
  graph.then("fc1", Linear{512});
  graph.then("relu3", Activate{});
  graph.then("fc2", Linear{options.classes});
  return graph;
}

/// S2's ImprovedCNN (model C): 3 convolutions with pooling, 512 hidden units, dropout. BatchNorm is what S2 says and
/// does not print.
Result<Graph> improved_cnn_with(const ArchitectureOptions& options, Settings& settings, bool batch_norm) {
  TRY(const auto dropout, settings.take<float>("dropout", 0.5F));
  Graph graph{.architecture = batch_norm ? "improved-cnn-bn" : "improved-cnn", .input = options.input, .nodes = {}};
  for (const auto& [name, channels] : {std::pair{"1", 32}, {"2", 64}, {"3", 64}}) {
    graph.then(fmt::format("conv{}", name), conv3x3(channels, !batch_norm));
    if (batch_norm) graph.then(fmt::format("bn{}", name), BatchNorm2d{});
    graph.then(fmt::format("relu{}", name), Activate{});
    graph.then(fmt::format("pool{}", name), Pool2d{});
  }
  graph.then("flatten", Flatten{});
  graph.then("fc1", Linear{512});
  graph.then("relu4", Activate{});
  graph.then("dropout", Dropout{dropout});
  graph.then("fc2", Linear{options.classes});
  return graph;
}
Result<Graph> improved_cnn(const ArchitectureOptions& options, Settings& settings) {
  return improved_cnn_with(options, settings, false);
}
Result<Graph> improved_cnn_bn(const ArchitectureOptions& options, Settings& settings) {
  return improved_cnn_with(options, settings, true);
}

/// S1's network (model A): 3 x [convolution, ReLU, BatchNorm, pooling], 256 hidden units, dropout. 620,810 learned
/// parameters and 448 running statistics: the 621,258 that Keras counts.
Result<Graph> three_block_cnn(const ArchitectureOptions& options, Settings& settings) {
  TRY(const auto dropout, settings.take<float>("dropout", 0.5F));
  Graph graph{.architecture = "three-block-cnn", .input = options.input, .nodes = {}};
  for (const auto& [name, channels] : {std::pair{"1", 32}, {"2", 64}, {"3", 128}}) {
    graph.then(fmt::format("conv{}", name), conv3x3(channels));
    graph.then(fmt::format("relu{}", name), Activate{});
    graph.then(fmt::format("bn{}", name), BatchNorm2d{.eps = 1e-3F, .momentum = 0.01F});  // Keras's defaults
    graph.then(fmt::format("pool{}", name), Pool2d{});
  }
  graph.then("flatten", Flatten{});
  graph.then("fc1", Linear{256});
  graph.then("relu4", Activate{});
  graph.then("dropout", Dropout{dropout});
  graph.then("fc2", Linear{options.classes});
  return graph;
}

/// S3's SimpleCNN (model D): 3 x [convolution, BatchNorm, ReLU, pooling], global average, 64 hidden units, dropout; one
/// logit for two classes.
Result<Graph> gap_cnn(const ArchitectureOptions& options, Settings& settings) {
  TRY(const auto dropout, settings.take<float>("dropout", 0.5F));
  Graph graph{.architecture = "gap-cnn", .input = options.input, .nodes = {}};
  for (const auto& [name, channels] : {std::pair{"1", 32}, {"2", 64}, {"3", 128}}) {
    graph.then(fmt::format("conv{}", name), conv3x3(channels));
    graph.then(fmt::format("bn{}", name), BatchNorm2d{});
    graph.then(fmt::format("relu{}", name), Activate{});
    graph.then(fmt::format("pool{}", name), Pool2d{});
  }
  graph.then("gap", GlobalAveragePool{});
  graph.then("fc1", Linear{64});
  graph.then("relu4", Activate{});
  graph.then("dropout", Dropout{dropout});
  graph.then("fc2", Linear{options.classes == 2 ? 1 : options.classes});
  return graph;
}

void conv_bn_relu(Graph& graph, const std::string& name, int channels, bool pool) {
  graph.then(name + ".conv", conv3x3(channels, false));
  graph.then(name + ".bn", BatchNorm2d{});
  graph.then(name + ".relu", Activate{});
  if (pool) graph.then(name + ".pool", Pool2d{});
}

void residual(Graph& graph, const std::string& name, int channels) {
  const int from = static_cast<int>(graph.nodes.size()) - 1;
  conv_bn_relu(graph, name + ".1", channels, false);
  conv_bn_relu(graph, name + ".2", channels, false);
  graph.append(name + ".add", Add{}, {static_cast<int>(graph.nodes.size()) - 1, from});
}

/// ResNet-9 of Page's "How to train your ResNet" (2018): 64, 128, 256, 512 channels, two residual blocks, maximum over
/// the plane.
Result<Graph> resnet9(const ArchitectureOptions& options, Settings&) {
  Graph graph{.architecture = "resnet9", .input = options.input, .nodes = {}};
  conv_bn_relu(graph, "prep", 64, false);
  conv_bn_relu(graph, "layer1", 128, true);
  residual(graph, "layer1.residual", 128);
  conv_bn_relu(graph, "layer2", 256, true);
  conv_bn_relu(graph, "layer3", 512, true);
  residual(graph, "layer3.residual", 512);
  graph.then("pool", GlobalMaxPool{});
  graph.then("fc", Linear{options.classes, false});
  graph.then("scale", Scale{0.125F});
  return graph;
}

/// Two 3 x 3 convolutions with BatchNorm of fixed scale, the first of them pooled: airbench's group (requirements 5.2).
void airbench_group(Graph& graph, const std::string& name, int channels, Activation activation) {
  const Conv2d conv{.out_channels = channels, .padding = Padding::same(3), .bias = false, .init = Init::Identity};
  const BatchNorm2d norm{.eps = 1e-12F, .momentum = 0.4F, .learn_scale = false};
  graph.then(name + ".conv1", conv);
  graph.then(name + ".pool", Pool2d{});
  graph.then(name + ".bn1", norm);
  graph.then(name + ".act1", Activate{activation});
  graph.then(name + ".conv2", conv);
  graph.then(name + ".bn2", norm);
  graph.then(name + ".act2", Activate{activation});
}

/// Whitening convolution, three groups, maximum over the plane, linear head scaled by 1/9.
Result<Graph> airbench_like(const std::string& name, const ArchitectureOptions& options, Settings& settings,
                            std::vector<int> default_widths, const std::string& default_activation) {
  TRY(const auto widths, settings.take<std::vector<int>>("widths", std::move(default_widths)));
  TRY(const auto activation_name, settings.take<std::string>("activation", default_activation));
  TRY(const int whitening_kernel, settings.take<int>("whitening_kernel", 2));
  TRY(const int whitening_stride, settings.take<int>("whitening_stride", 1));
  if (activation_name != "gelu" && activation_name != "relu")
    return fail(ErrorCode::InvalidArgument, "activation is '{}': gelu or relu", activation_name);
  if (widths.empty() || widths.size() > 5)
    return fail(ErrorCode::InvalidArgument, "widths: 1 to 5 of them, not {}", widths.size());
  const auto activation = activation_name == "gelu" ? Activation::Gelu : Activation::Relu;
  Graph graph{.architecture = name, .input = options.input, .nodes = {}};
  graph.then("whiten", Conv2d{.out_channels = 2 * 3 * whitening_kernel * whitening_kernel,
                              .kernel = whitening_kernel,
                              .stride = whitening_stride,
                              .init = Init::Whitening,
                              .freeze_weight = true});
  graph.then("whiten.act", Activate{activation});
  for (std::size_t i = 0; i < widths.size(); ++i)
    airbench_group(graph, fmt::format("group{}", i + 1), widths[i], activation);
  graph.then("pool", GlobalMaxPool{});
  graph.then("head", Linear{options.classes, false});
  graph.then("scale", Scale{1.0F / 9.0F});
  return graph;
}

Result<Graph> airbench94(const ArchitectureOptions& options, Settings& settings) {
  return airbench_like("airbench94", options, settings, {64, 256, 256}, "gelu");
}

/// airbench94, narrow enough to learn within minutes on two cores.
Result<Graph> quick(const ArchitectureOptions& options, Settings& settings) {
  return airbench_like("quick", options, settings, {32, 64, 128}, "relu");
}

struct Architecture {
  std::string_view name;
  Result<Graph> (*build)(const ArchitectureOptions&, Settings&);
};

constexpr std::array kArchitectures{
    Architecture{"simple-cnn", simple_cnn},
    Architecture{"improved-cnn", improved_cnn},
    Architecture{"improved-cnn-bn", improved_cnn_bn},
    Architecture{"three-block-cnn", three_block_cnn},
    Architecture{"gap-cnn", gap_cnn},
    Architecture{"resnet9", resnet9},
    Architecture{"airbench94", airbench94},
    Architecture{"quick", quick},
};

}  // namespace

std::vector<std::string> architecture_names() {
  std::vector<std::string> names;
  for (const auto& architecture : kArchitectures) names.emplace_back(architecture.name);
  return names;
}

Result<Graph> build_graph(std::string_view name, const ArchitectureOptions& options) {
  for (const auto& architecture : kArchitectures) {
    if (architecture.name != name) continue;
    if (options.classes < 2)
      return fail(ErrorCode::InvalidArgument, "a classifier needs 2 classes or more, not {}", options.classes);
    Settings settings(options.settings.is_null() ? json::Value::object() : options.settings);
    TRY(auto graph, architecture.build(options, settings));
    TRY_VOID(settings.done());
    if (auto checked = summarize(graph); !checked) return pass(checked, std::string(name));
    return graph;
  }
  return fail(ErrorCode::NotFound, "no architecture named '{}'; there are: {}", name,
              fmt::join(architecture_names(), ", "));
}

}  // namespace imago::model
