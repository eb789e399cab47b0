// SPDX-License-Identifier: Apache-2.0
// Graphs as JSON. Every layer lists its fields once; writing, reading and the refusal of unknown fields follow from it.
#include <algorithm>
#include <array>
#include <optional>
#include <type_traits>
#include <utility>

#include "model/graph.hpp"

namespace imago::model {
namespace {

constexpr std::array<std::pair<Init, std::string_view>, 3> kInits{
    {{Init::Default, "default"}, {Init::Identity, "identity"}, {Init::Whitening, "whitening"}}};
constexpr std::array<std::pair<Activation, std::string_view>, 4> kFunctionNames{
    {{Activation::Relu, "relu"}, {Activation::Relu6, "relu6"}, {Activation::Gelu, "gelu"}, {Activation::Silu, "silu"}}};
constexpr std::array<std::pair<Pool, std::string_view>, 2> kPools{{{Pool::Max, "max"}, {Pool::Average, "average"}}};

// A visitor `fields(name, member)` sees each field of a layer.
void each_field(auto& conv, auto&& fields) requires std::is_same_v<std::remove_cvref_t<decltype(conv)>, Conv2d> {
  fields("out_channels", conv.out_channels);
  fields("kernel", conv.kernel);
  fields("stride", conv.stride);
  fields("padding", conv.padding);
  fields("groups", conv.groups);
  fields("bias", conv.bias);
  fields("init", conv.init, kInits);
  fields("freeze_weight", conv.freeze_weight);
}
void each_field(auto& norm, auto&& fields) requires std::is_same_v<std::remove_cvref_t<decltype(norm)>, BatchNorm2d> {
  fields("eps", norm.eps);
  fields("momentum", norm.momentum);
  fields("learn_scale", norm.learn_scale);
}
void each_field(auto& activate,
                auto&& fields) requires std::is_same_v<std::remove_cvref_t<decltype(activate)>, Activate> {
  fields("function", activate.function, kFunctionNames);
}
void each_field(auto& pool, auto&& fields) requires std::is_same_v<std::remove_cvref_t<decltype(pool)>, Pool2d> {
  fields("pool", pool.kind, kPools);
  fields("kernel", pool.kernel);
  fields("stride", pool.stride);
}
void each_field(auto& linear, auto&& fields) requires std::is_same_v<std::remove_cvref_t<decltype(linear)>, Linear> {
  fields("out_features", linear.out_features);
  fields("bias", linear.bias);
}
void each_field(auto& dropout, auto&& fields) requires std::is_same_v<std::remove_cvref_t<decltype(dropout)>, Dropout> {
  fields("probability", dropout.probability);
}
void each_field(auto& scale, auto&& fields) requires std::is_same_v<std::remove_cvref_t<decltype(scale)>, Scale> {
  fields("factor", scale.factor);
}
template <class T>
concept Fieldless = std::is_same_v<std::remove_cvref_t<T>, GlobalAveragePool> ||
    std::is_same_v<std::remove_cvref_t<T>, GlobalMaxPool> || std::is_same_v<std::remove_cvref_t<T>, Flatten> ||
    std::is_same_v<std::remove_cvref_t<T>, Add>;
template <Fieldless T>
void each_field(T&, auto&&) {}

class Writer {
 public:
  explicit Writer(json::Value& into) : into_(into) {}

  void operator()(const char* key, const auto& value) { into_[key] = value; }
  // 0.1F as 0.1 and not as 0.10000000149: the shortest decimal that reads back as the same float.
  void operator()(const char* key, float value) { into_[key] = std::stod(fmt::format("{}", value)); }
  void operator()(const char* key, const Padding& padding) {
    into_[key] = {padding.top, padding.left, padding.bottom, padding.right};
  }
  void operator()(const char* key, auto value, const auto& names) {
    for (const auto& [enumerator, name] : names) {
      if (enumerator == value) into_[key] = name;
    }
  }

 private:
  json::Value& into_;
};

class Reader {
 public:
  explicit Reader(const json::Value& from) : from_(from) {}

  template <class T>
  void operator()(const char* key, T& value) {
    take<T>(key, [&](T found) { value = found; });
  }
  void operator()(const char* key, Padding& padding) {
    take<std::vector<int>>(key, [&](const std::vector<int>& sides) {
      if (sides.size() != 4) {
        error_ = Error{ErrorCode::InvalidArgument,
                       fmt::format("'{}' has {} numbers, not top, left, bottom, right", key, sides.size())};
        return;
      }
      padding = {sides[0], sides[1], sides[2], sides[3]};
    });
  }
  template <class T, class Names>
  void operator()(const char* key, T& value, const Names& names) {
    take<std::string>(key, [&](const std::string& found) {
      for (const auto& [enumerator, name] : names) {
        if (name != found) continue;
        value = enumerator;
        return;
      }
      error_ = Error{ErrorCode::InvalidArgument, fmt::format("'{}' cannot be '{}'", key, found)};
    });
  }

  /// After all fields: the first error, or the first member that is no field.
  Result<void> finish() {
    if (error_) return tl::unexpected<Error>(std::move(*error_));
    for (const auto& [key, value] : from_.items()) {
      if (std::ranges::find(known_, key) == known_.end()) {
        return fail(ErrorCode::InvalidArgument, "there is no field '{}'; there are {}", key, fmt::join(known_, ", "));
      }
    }
    return {};
  }

 private:
  template <class T>
  void take(const char* key, auto&& use) {
    known_.emplace_back(key);
    if (error_) return;
    auto found = json::get<T>(from_, key);
    if (found) {
      use(*found);
    } else {
      error_ = std::move(found.error());
    }
  }

  const json::Value& from_;
  std::vector<std::string_view> known_{"name", "kind", "inputs"};
  std::optional<Error> error_;
};

template <std::size_t I = 0>
std::optional<Layer> default_layer(std::string_view name) {
  if constexpr (I == std::variant_size_v<Layer>) {
    return std::nullopt;
  } else {
    const Layer layer = std::variant_alternative_t<I, Layer>{};
    return layer_name(layer) == name ? std::optional(layer) : default_layer<I + 1>(name);
  }
}

Result<Node> node_from_json(const json::Value& value) {
  Node node;
  TRY(node.name, json::get<std::string>(value, "name"));
  TRY(const auto kind, json::get<std::string>(value, "kind"));
  TRY(node.inputs, json::get<std::vector<int>>(value, "inputs"));
  auto layer = default_layer(kind);
  if (!layer) return fail(ErrorCode::InvalidArgument, "there is no kind of layer '{}'", kind);
  Reader reader(value);
  std::visit([&](auto& fields) { each_field(fields, reader); }, *layer);
  TRY_VOID(reader.finish());
  node.layer = *layer;
  return node;
}

}  // namespace

json::Value to_json(const Graph& graph) {
  json::Value nodes = json::Value::array();
  for (const Node& node : graph.nodes) {
    json::Value value{{"name", node.name}, {"kind", layer_name(node.layer)}, {"inputs", node.inputs}};
    std::visit([&](const auto& fields) { each_field(fields, Writer(value)); }, node.layer);
    nodes.push_back(std::move(value));
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
  TRY(const auto nodes, json::get<std::vector<json::Value>>(value, "nodes"));
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    auto node = node_from_json(nodes[i]);
    if (!node) return pass(node, fmt::format("node {}", i));
    graph.nodes.push_back(std::move(*node));
  }
  TRY_VOID(summarize(graph));
  return graph;
}

}  // namespace imago::model
