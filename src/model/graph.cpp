// SPDX-License-Identifier: Apache-2.0
#include "model/graph.hpp"

#include <fmt/ranges.h>

#include <limits>
#include <set>

namespace imago::model {
namespace {

template <class... Cases>
struct Overload : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overload(Cases...) -> Overload<Cases...>;

constexpr std::int64_t kMaxElements = std::int64_t{1} << 31;

using Inputs = std::vector<Shape>;

std::int64_t elements(const Shape& shape) {
  std::int64_t product = 1;
  for (const int side : shape) product *= side;
  return product;
}

tl::unexpected<Error> wrong(const Node& node, std::string_view what) {
  return fail(ErrorCode::InvalidArgument, "node '{}' ({}): {}", node.name, layer_name(node.layer), what);
}

Result<Shape> plane(const Node& node, const Inputs& inputs) {
  if (inputs[0].size() != 3) return wrong(node, fmt::format("needs an image, its input is a row of {}", inputs[0][0]));
  return inputs[0];
}

/// Output side of a window that slides over `side` pixels.
Result<int> windows(const Node& node, int side, int kernel, int stride) {
  if (kernel < 1 || stride < 1)
    return wrong(node, fmt::format("kernel {} and stride {} must be positive", kernel, stride));
  if (kernel > side) return wrong(node, fmt::format("kernel {} is larger than its input of {}", kernel, side));
  return (side - kernel) / stride + 1;
}

Result<NodeSummary> convolution(const Node& node, const Conv2d& layer, const Inputs& inputs) {
  TRY(const auto in, plane(node, inputs));
  const auto& pad = layer.padding;
  if (pad.top < 0 || pad.left < 0 || pad.bottom < 0 || pad.right < 0) return wrong(node, "padding is negative");
  if (layer.out_channels < 1 || layer.groups < 1 || in[0] % layer.groups != 0 || layer.out_channels % layer.groups != 0)
    return wrong(node, fmt::format("{} -> {} channels in {} groups", in[0], layer.out_channels, layer.groups));
  TRY(const int height, windows(node, in[1] + pad.top + pad.bottom, layer.kernel, layer.stride));
  TRY(const int width, windows(node, in[2] + pad.left + pad.right, layer.kernel, layer.stride));
  const std::int64_t weights = std::int64_t{layer.out_channels} * (in[0] / layer.groups) * layer.kernel * layer.kernel;
  return NodeSummary{
      {layer.out_channels, height, width}, weights + (layer.bias ? layer.out_channels : 0), weights * height * width};
}

Result<NodeSummary> pooling(const Node& node, const Pool2d& layer, const Inputs& inputs) {
  TRY(const auto in, plane(node, inputs));
  TRY(const int height, windows(node, in[1], layer.kernel, layer.stride));
  TRY(const int width, windows(node, in[2], layer.kernel, layer.stride));
  return NodeSummary{{in[0], height, width}};
}

Result<NodeSummary> fully_connected(const Node& node, const Linear& layer, const Inputs& inputs) {
  if (inputs[0].size() != 1)
    return wrong(node, fmt::format("needs a row, its input is {}; flatten it first", fmt::join(inputs[0], " x ")));
  if (layer.out_features < 1) return wrong(node, "has no outputs");
  const std::int64_t weights = std::int64_t{layer.out_features} * inputs[0][0];
  return NodeSummary{{layer.out_features}, weights + (layer.bias ? layer.out_features : 0), weights};
}

Result<NodeSummary> whole_plane(const Node& node, const Inputs& inputs) {
  TRY(const auto in, plane(node, inputs));
  return NodeSummary{{in[0]}};
}

Result<NodeSummary> summarize_node(const Node& node, const Inputs& inputs) {
  return std::visit(Overload{
                        [&](const Conv2d& layer) { return convolution(node, layer, inputs); },
                        [&](const BatchNorm2d& layer) -> Result<NodeSummary> {
                          TRY(const auto in, plane(node, inputs));
                          return NodeSummary{in, (layer.learn_scale ? 2 : 1) * std::int64_t{in[0]}};
                        },
                        [&](const Pool2d& layer) { return pooling(node, layer, inputs); },
                        [&](const GlobalAveragePool&) { return whole_plane(node, inputs); },
                        [&](const GlobalMaxPool&) { return whole_plane(node, inputs); },
                        [&](const Flatten&) -> Result<NodeSummary> {
                          if (elements(inputs[0]) > std::numeric_limits<int>::max()) return wrong(node, "is too large");
                          return NodeSummary{{static_cast<int>(elements(inputs[0]))}};
                        },
                        [&](const Linear& layer) { return fully_connected(node, layer, inputs); },
                        [&](const Dropout& layer) -> Result<NodeSummary> {
                          if (!(layer.probability >= 0 && layer.probability < 1))
                            return wrong(node, fmt::format("probability {} is not in [0, 1)", layer.probability));
                          return NodeSummary{inputs[0]};
                        },
                        [&](const Add&) -> Result<NodeSummary> {
                          if (inputs[0] != inputs[1])
                            return wrong(node, fmt::format("adds {} to {}", fmt::join(inputs[1], " x "),
                                                           fmt::join(inputs[0], " x ")));
                          return NodeSummary{inputs[0]};
                        },
                        [&](const auto&) -> Result<NodeSummary> { return NodeSummary{inputs[0]}; },
                    },
                    node.layer);
}

Result<void> check_node(const Graph& graph, std::size_t index, std::set<std::string>& names) {
  const Node& node = graph.nodes[index];
  if (node.name.empty() || node.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_.") != std::string::npos)
    return fail(ErrorCode::InvalidArgument, "node {}: name '{}' must be of a-z, 0-9, _ and .", index, node.name);
  if (!names.insert(node.name).second) return wrong(node, "the name is used twice");
  const std::size_t wanted = std::holds_alternative<Add>(node.layer) ? 2 : 1;
  if (node.inputs.size() != wanted)
    return wrong(node, fmt::format("takes {} inputs, not {}", wanted, node.inputs.size()));
  for (const int input : node.inputs) {
    if (input < -1 || input >= static_cast<int>(index))
      return wrong(node, fmt::format("input {} is not an earlier node", input));
  }
  return {};
}

}  // namespace

int Graph::then(std::string name, Layer layer) {
  return append(std::move(name), std::move(layer), {static_cast<int>(nodes.size()) - 1});
}

int Graph::append(std::string name, Layer layer, std::vector<int> inputs) {
  nodes.push_back({std::move(name), std::move(layer), std::move(inputs)});
  return static_cast<int>(nodes.size()) - 1;
}

Result<std::vector<NodeSummary>> summarize(const Graph& graph) {
  const Shape image{graph.input.channels, graph.input.height, graph.input.width};
  if (graph.nodes.empty()) return fail(ErrorCode::InvalidArgument, "the graph has no nodes");
  if (image[0] != 3 || image[1] < 1 || image[2] < 1 || image[1] > 4096 || image[2] > 4096)
    return fail(ErrorCode::InvalidArgument, "graph input {}: 3 channels and sides from 1 to 4096 are supported",
                fmt::join(image, " x "));
  std::set<std::string> names;
  std::vector<NodeSummary> summaries;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    TRY_VOID(check_node(graph, i, names));
    Inputs inputs;
    for (const int input : graph.nodes[i].inputs)
      inputs.push_back(input < 0 ? image : summaries[static_cast<std::size_t>(input)].output);
    TRY(auto summary, summarize_node(graph.nodes[i], inputs));
    if (elements(summary.output) > kMaxElements || summary.parameters > kMaxElements)
      return wrong(graph.nodes[i], "is too large");
    summaries.push_back(std::move(summary));
  }
  if (summaries.back().output.size() != 1) return wrong(graph.nodes.back(), "the last node must give a row of logits");
  return summaries;
}

Result<std::map<std::string, std::vector<std::int64_t>>> weight_shapes(const Graph& graph) {
  TRY(const auto summaries, summarize(graph));
  std::map<std::string, std::vector<std::int64_t>> shapes;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    const int from = node.inputs[0];
    const std::int64_t in = from < 0 ? graph.input.channels : summaries[static_cast<std::size_t>(from)].output[0];
    if (const auto* conv = std::get_if<Conv2d>(&node.layer)) {
      shapes[node.name + ".weight"] = {conv->out_channels, in / conv->groups, conv->kernel, conv->kernel};
      if (conv->bias) shapes[node.name + ".bias"] = {conv->out_channels};
    } else if (std::holds_alternative<BatchNorm2d>(node.layer)) {
      for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"}) shapes[node.name + part] = {in};
    } else if (const auto* linear = std::get_if<Linear>(&node.layer)) {
      shapes[node.name + ".weight"] = {linear->out_features, in};
      if (linear->bias) shapes[node.name + ".bias"] = {linear->out_features};
    }
  }
  return shapes;
}

Result<void> check_weights(const Graph& graph, const Weights& weights) {
  TRY(const auto shapes, weight_shapes(graph));
  for (const auto& [name, shape] : shapes) {
    const auto found = weights.find(name);
    if (found == weights.end()) return fail(ErrorCode::InvalidArgument, "weights: '{}' is missing", name);
    if (found->second.shape != shape)
      return fail(ErrorCode::InvalidArgument, "weights: '{}' is [{}], the network needs [{}]", name,
                  fmt::join(found->second.shape, ", "), fmt::join(shape, ", "));
    std::int64_t count = 1;
    for (const auto side : shape) count *= side;
    if (static_cast<std::int64_t>(found->second.data.size()) != count)
      return fail(ErrorCode::InvalidArgument, "weights: '{}' has {} values, its shape says {}", name,
                  found->second.data.size(), count);
  }
  for (const auto& [name, tensor] : weights) {
    if (!shapes.contains(name)) return fail(ErrorCode::InvalidArgument, "weights: the network has no '{}'", name);
  }
  return {};
}

}  // namespace imago::model
