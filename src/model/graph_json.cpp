// SPDX-License-Identifier: Apache-2.0
// Graphs in JSON: {"architecture", "input": {...}, "nodes": [{"name", "kind", "inputs", ...the layer's settings}]}.
#include <array>

#include "model/graph.hpp"

namespace imago::model {
namespace {

constexpr std::size_t kMaxNodes = 4096;

template <class T>
struct Names;
template <>
struct Names<Init> {
  static constexpr std::array<std::string_view, 3> kAll{"default", "identity", "whitening"};
};
template <>
struct Names<Activation> {
  static constexpr std::array<std::string_view, 4> kAll{"relu", "relu6", "gelu", "silu"};
};
template <>
struct Names<Pool> {
  static constexpr std::array<std::string_view, 2> kAll{"max", "average"};
};

template <class T>
std::string_view name_of(T value) {
  return Names<T>::kAll[static_cast<std::size_t>(value)];
}

template <class T>
Result<T> named(const json::Value& object, std::string_view key) {
  TRY(const auto name, json::get<std::string>(object, key));
  for (std::size_t i = 0; i < Names<T>::kAll.size(); ++i) {
    if (Names<T>::kAll[i] == name) return static_cast<T>(i);
  }
  return fail(ErrorCode::InvalidArgument, "{} is '{}'", key, name);
}

// One pair of functions a layer: write its settings, read them.
void write(json::Value& out, const Conv2d& layer) {
  out["out_channels"] = layer.out_channels;
  out["kernel"] = layer.kernel;
  out["stride"] = layer.stride;
  out["padding"] = {layer.padding.top, layer.padding.left, layer.padding.bottom, layer.padding.right};
  out["groups"] = layer.groups;
  out["bias"] = layer.bias;
  out["init"] = name_of(layer.init);
  out["freeze_weight"] = layer.freeze_weight;
}
void write(json::Value& out, const BatchNorm2d& layer) {
  out["eps"] = layer.eps;
  out["momentum"] = layer.momentum;
  out["learn_scale"] = layer.learn_scale;
}
void write(json::Value& out, const Activate& layer) { out["function"] = name_of(layer.function); }
void write(json::Value& out, const Pool2d& layer) {
  out["pool"] = name_of(layer.kind);
  out["kernel"] = layer.kernel;
  out["stride"] = layer.stride;
}
void write(json::Value& out, const Linear& layer) {
  out["out_features"] = layer.out_features;
  out["bias"] = layer.bias;
}
void write(json::Value& out, const Dropout& layer) { out["probability"] = layer.probability; }
void write(json::Value& out, const Scale& layer) { out["factor"] = layer.factor; }
void write(json::Value&, const GlobalAveragePool&) {}
void write(json::Value&, const GlobalMaxPool&) {}
void write(json::Value&, const Flatten&) {}
void write(json::Value&, const Add&) {}

Result<Layer> read_conv(const json::Value& in) {
  Conv2d layer;
  TRY(layer.out_channels, json::get<int>(in, "out_channels"));
  TRY(layer.kernel, json::get<int>(in, "kernel"));
  TRY(layer.stride, json::get<int>(in, "stride"));
  TRY(const auto padding, json::get<std::vector<int>>(in, "padding"));
  if (padding.size() != 4)
    return fail(ErrorCode::InvalidArgument, "padding has {} numbers, not top, left, bottom, right", padding.size());
  layer.padding = {padding[0], padding[1], padding[2], padding[3]};
  TRY(layer.groups, json::get<int>(in, "groups"));
  TRY(layer.bias, json::get<bool>(in, "bias"));
  TRY(layer.init, named<Init>(in, "init"));
  TRY(layer.freeze_weight, json::get<bool>(in, "freeze_weight"));
  return layer;
}

Result<Layer> read_batch_norm(const json::Value& in) {
  BatchNorm2d layer;
  TRY(layer.eps, json::get<float>(in, "eps"));
  TRY(layer.momentum, json::get<float>(in, "momentum"));
  TRY(layer.learn_scale, json::get<bool>(in, "learn_scale"));
  if (!(layer.eps > 0)) return fail(ErrorCode::InvalidArgument, "eps {} must be positive", layer.eps);
  return layer;
}

Result<Layer> read_pool(const json::Value& in) {
  Pool2d layer;
  TRY(layer.kind, named<Pool>(in, "pool"));
  TRY(layer.kernel, json::get<int>(in, "kernel"));
  TRY(layer.stride, json::get<int>(in, "stride"));
  return layer;
}

Result<Layer> read_linear(const json::Value& in) {
  Linear layer;
  TRY(layer.out_features, json::get<int>(in, "out_features"));
  TRY(layer.bias, json::get<bool>(in, "bias"));
  return layer;
}

Result<Layer> read_layer(const std::string& kind, const json::Value& in) {
  if (kind == layer_name(Conv2d{})) return read_conv(in);
  if (kind == layer_name(BatchNorm2d{})) return read_batch_norm(in);
  if (kind == layer_name(Pool2d{})) return read_pool(in);
  if (kind == layer_name(Linear{})) return read_linear(in);
  if (kind == layer_name(Activate{})) {
    TRY(const auto function, named<Activation>(in, "function"));
    return Activate{function};
  }
  if (kind == layer_name(Dropout{})) {
    TRY(const auto probability, json::get<float>(in, "probability"));
    return Dropout{probability};
  }
  if (kind == layer_name(Scale{})) {
    TRY(const auto factor, json::get<float>(in, "factor"));
    return Scale{factor};
  }
  for (const Layer& plain : {Layer(GlobalAveragePool{}), Layer(GlobalMaxPool{}), Layer(Flatten{}), Layer(Add{})}) {
    if (kind == layer_name(plain)) return plain;
  }
  return fail(ErrorCode::InvalidArgument, "kind '{}' is not known", kind);
}

Result<Node> read_node(const json::Value& in) {
  Node node;
  TRY(node.name, json::get<std::string>(in, "name"));
  TRY(const auto kind, json::get<std::string>(in, "kind"));
  TRY(node.inputs, json::get<std::vector<int>>(in, "inputs"));
  auto layer = read_layer(kind, in);
  if (!layer) return pass(layer, "node '" + node.name + "'");
  node.layer = std::move(*layer);
  return node;
}

}  // namespace

std::string_view layer_name(const Layer& layer) noexcept {
  constexpr std::array<std::string_view, std::variant_size_v<Layer>> kNames{
      "conv2d", "batch_norm2d", "activation", "pool2d", "global_average_pool", "global_max_pool", "flatten",
      "linear", "dropout",      "add",        "scale"};
  return kNames[layer.index()];
}

json::Value to_json(const Graph& graph) {
  json::Value nodes = json::Value::array();
  for (const auto& node : graph.nodes) {
    json::Value out{{"name", node.name}, {"kind", layer_name(node.layer)}, {"inputs", node.inputs}};
    std::visit([&out](const auto& layer) { write(out, layer); }, node.layer);
    nodes.push_back(std::move(out));
  }
  return {{"architecture", graph.architecture},
          {"input", {{"channels", graph.input.channels}, {"height", graph.input.height}, {"width", graph.input.width}}},
          {"nodes", std::move(nodes)}};
}

Result<Graph> graph_from_json(const json::Value& value) {
  Graph graph;
  TRY(graph.architecture, json::get<std::string>(value, "architecture"));
  TRY(const auto input, json::get<json::Value>(value, "input"));
  TRY(graph.input.channels, json::get<int>(input, "channels"));
  TRY(graph.input.height, json::get<int>(input, "height"));
  TRY(graph.input.width, json::get<int>(input, "width"));
  TRY(const auto nodes, json::get<json::Value>(value, "nodes"));
  if (!nodes.is_array() || nodes.size() > kMaxNodes)
    return fail(ErrorCode::InvalidArgument, "nodes must be a list of at most {}", kMaxNodes);
  for (const auto& item : nodes) {
    TRY(auto node, read_node(item));
    graph.nodes.push_back(std::move(node));
  }
  if (auto checked = summarize(graph); !checked) return pass(checked);
  return graph;
}

}  // namespace imago::model
