// SPDX-License-Identifier: Apache-2.0
#include "model/graph.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

namespace imago::model {
namespace {

constexpr std::int64_t kMaxElements = std::int64_t{1} << 30;
constexpr int kMaxSide = 1 << 16;  // of a channel count, a feature count, a kernel, a stride
constexpr std::size_t kMaxNodes = 4096;

using NamedShape = std::pair<std::string_view, std::vector<std::int64_t>>;

std::int64_t elements(const auto& shape) {  // each factor is at most 2^30 and the product is held to it step by step
  std::int64_t product = 1;
  for (const auto side : shape) product = std::min(product * std::int64_t{side}, 2 * kMaxElements);
  return product;
}

std::string text(const Shape& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

bool in_range(int value, int least, int most = kMaxSide) { return value >= least && value <= most; }

Result<void> need_planes(const Shape& in) {
  if (in.size() == 3) return {};
  return fail(ErrorCode::InvalidArgument, "needs an input [c, h, w], got {}", text(in));
}

Result<int> output_side(int side, int before, int after, int kernel, int stride) {
  const int padded = side + before + after;
  if (kernel > padded) {
    return fail(ErrorCode::InvalidArgument, "kernel {} is larger than its input of {} with padding", kernel, padded);
  }
  return (padded - kernel) / stride + 1;
}

/// Output shape of each kind of layer; the checks of its fields come with it.
struct OutputShape {
  const std::vector<Shape>& inputs;
  const Shape& in = inputs.front();

  Result<Shape> operator()(const Conv2d& conv) const {
    TRY_VOID(need_planes(in));
    if (!in_range(conv.out_channels, 1) || !in_range(conv.kernel, 1, 1024) || !in_range(conv.stride, 1)) {
      return fail(ErrorCode::InvalidArgument, "out_channels {}, kernel {} and stride {} must be positive and sane",
                  conv.out_channels, conv.kernel, conv.stride);
    }
    const Padding& pad = conv.padding;
    if (std::min({pad.top, pad.left, pad.bottom, pad.right}) < 0 ||
        std::max({pad.top, pad.left, pad.bottom, pad.right}) >= conv.kernel) {
      return fail(ErrorCode::InvalidArgument, "padding {} {} {} {} is not in [0, kernel {})", pad.top, pad.left,
                  pad.bottom, pad.right, conv.kernel);
    }
    if (conv.groups < 1 || in[0] % conv.groups != 0 || conv.out_channels % conv.groups != 0) {
      return fail(ErrorCode::InvalidArgument, "groups {} does not divide {} input and {} output channels", conv.groups,
                  in[0], conv.out_channels);
    }
    TRY(const int height, output_side(in[1], pad.top, pad.bottom, conv.kernel, conv.stride));
    TRY(const int width, output_side(in[2], pad.left, pad.right, conv.kernel, conv.stride));
    return Shape{conv.out_channels, height, width};
  }
  Result<Shape> operator()(const BatchNorm2d& norm) const {
    TRY_VOID(need_planes(in));
    if (!(norm.eps > 0.0F && norm.eps < 1.0F) || !(norm.momentum > 0.0F && norm.momentum <= 1.0F)) {
      return fail(ErrorCode::InvalidArgument, "eps {} must be in (0, 1), momentum {} in (0, 1]", norm.eps,
                  norm.momentum);
    }
    return in;
  }
  Result<Shape> operator()(const Activate&) const { return in; }
  Result<Shape> operator()(const Pool2d& pool) const {
    TRY_VOID(need_planes(in));
    if (!in_range(pool.kernel, 1, 1024) || !in_range(pool.stride, 1)) {
      return fail(ErrorCode::InvalidArgument, "kernel {} and stride {} must be positive and sane", pool.kernel,
                  pool.stride);
    }
    TRY(const int height, output_side(in[1], 0, 0, pool.kernel, pool.stride));
    TRY(const int width, output_side(in[2], 0, 0, pool.kernel, pool.stride));
    return Shape{in[0], height, width};
  }
  Result<Shape> operator()(const GlobalAveragePool&) const { return pooled(); }
  Result<Shape> operator()(const GlobalMaxPool&) const { return pooled(); }
  Result<Shape> operator()(const Flatten&) const {
    TRY_VOID(need_planes(in));
    return Shape{static_cast<int>(elements(in))};
  }
  Result<Shape> operator()(const Linear& linear) const {
    if (in.size() != 1) {
      return fail(ErrorCode::InvalidArgument, "needs an input [features], got {}; flatten or pool first", text(in));
    }
    if (!in_range(linear.out_features, 1)) {
      return fail(ErrorCode::InvalidArgument, "out_features {} is not in [1, {}]", linear.out_features, kMaxSide);
    }
    return Shape{linear.out_features};
  }
  Result<Shape> operator()(const Dropout& dropout) const {
    if (!(dropout.probability >= 0.0F && dropout.probability < 1.0F)) {
      return fail(ErrorCode::InvalidArgument, "probability {} is not in [0, 1)", dropout.probability);
    }
    return in;
  }
  Result<Shape> operator()(const Add&) const {
    if (inputs[0] != inputs[1]) {
      return fail(ErrorCode::InvalidArgument, "cannot add {} and {}", text(inputs[0]), text(inputs[1]));
    }
    return in;
  }
  Result<Shape> operator()(const Scale& scale) const {
    if (!(scale.factor > -1e30F && scale.factor < 1e30F)) {
      return fail(ErrorCode::InvalidArgument, "factor {} is not a finite number", scale.factor);
    }
    return in;
  }

 private:
  [[nodiscard]] Result<Shape> pooled() const {
    TRY_VOID(need_planes(in));
    return Shape{in[0]};
  }
};

/// The tensors of a layer: the one place that knows what it learns.
std::vector<NamedShape> tensors_of(const Layer& layer, const Shape& in) {
  const std::int64_t channels = in[0];
  std::vector<NamedShape> tensors;
  if (const auto* conv = std::get_if<Conv2d>(&layer)) {
    tensors.push_back({"weight", {conv->out_channels, channels / conv->groups, conv->kernel, conv->kernel}});
    if (conv->bias) tensors.push_back({"bias", {conv->out_channels}});
  } else if (std::holds_alternative<BatchNorm2d>(layer)) {
    for (const auto* suffix : {"weight", "bias", "running_mean", "running_var"}) {
      tensors.push_back({suffix, {channels}});
    }
  } else if (const auto* linear = std::get_if<Linear>(&layer)) {
    tensors.push_back({"weight", {linear->out_features, channels}});
    if (linear->bias) tensors.push_back({"bias", {linear->out_features}});
  }
  return tensors;
}

/// Running statistics are measured, and a scale that is not learned is 1.
bool is_parameter(const Layer& layer, std::string_view suffix) {
  if (suffix.starts_with("running_")) return false;
  const auto* norm = std::get_if<BatchNorm2d>(&layer);
  return norm == nullptr || norm->learn_scale || suffix != "weight";
}

std::int64_t macs_of(const Layer& layer, const Shape& output, std::int64_t weights) {
  if (std::holds_alternative<Conv2d>(layer)) return weights * output[1] * output[2];
  return std::holds_alternative<Linear>(layer) ? weights : 0;
}

Result<NodeSummary> summarize_node(const Layer& layer, const std::vector<Shape>& inputs) {
  NodeSummary summary;
  TRY(summary.output, std::visit(OutputShape{.inputs = inputs}, layer));
  if (elements(summary.output) > kMaxElements) {
    return fail(ErrorCode::InvalidArgument, "its output {} has more than 2^30 values", text(summary.output));
  }
  for (const auto& [suffix, shape] : tensors_of(layer, inputs.front())) {
    const std::int64_t size = elements(shape);
    if (size > kMaxElements) {
      return fail(ErrorCode::InvalidArgument, "its {} [{}] has more than 2^30 values", suffix, fmt::join(shape, ", "));
    }
    if (is_parameter(layer, suffix)) summary.parameters += size;
    if (suffix == "weight") summary.macs = macs_of(layer, summary.output, size);
  }
  return summary;
}

bool is_name(std::string_view name) {
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.'; };
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, allowed);
}

Result<void> check_frame(const Graph& graph) {
  const InputShape& input = graph.input;
  if (!in_range(input.channels, 1, 1024) || !in_range(input.height, 1, 8192) || !in_range(input.width, 1, 8192)) {
    return fail(ErrorCode::InvalidArgument, "input [{}, {}, {}] is out of range: at most [1024, 8192, 8192]",
                input.channels, input.height, input.width);
  }
  if (graph.nodes.empty() || graph.nodes.size() > kMaxNodes) {
    return fail(ErrorCode::InvalidArgument, "a graph has 1 to {} nodes, not {}", kMaxNodes, graph.nodes.size());
  }
  return {};
}

Result<std::vector<Shape>> input_shapes(const Graph& graph, std::size_t index, const std::vector<NodeSummary>& done) {
  const Node& node = graph.nodes[index];
  const std::size_t wanted = std::holds_alternative<Add>(node.layer) ? 2 : 1;
  if (node.inputs.size() != wanted) {
    return fail(ErrorCode::InvalidArgument, "takes {} input(s), got {}", wanted, node.inputs.size());
  }
  std::vector<Shape> shapes;
  for (const int input : node.inputs) {
    if (input < -1 || input >= static_cast<int>(index)) {
      return fail(ErrorCode::InvalidArgument, "input {} is not an earlier node", input);
    }
    const InputShape& image = graph.input;
    shapes.push_back(input == -1 ? Shape{image.channels, image.height, image.width}
                                 : done[static_cast<std::size_t>(input)].output);
  }
  return shapes;
}

}  // namespace

int Graph::append(std::string name, Layer layer, std::vector<int> inputs) {
  nodes.push_back({std::move(name), layer, std::move(inputs)});
  return static_cast<int>(nodes.size()) - 1;
}

int Graph::then(std::string name, Layer layer) {
  return append(std::move(name), layer, {static_cast<int>(nodes.size()) - 1});
}

Result<std::vector<NodeSummary>> summarize(const Graph& graph) {
  TRY_VOID(check_frame(graph));
  std::vector<NodeSummary> summaries;
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (!is_name(node.name)) {
      return fail(ErrorCode::InvalidArgument, "node {} is named '{}': use 1 to 64 of a-z 0-9 _ .", i, node.name);
    }
    const std::string where = fmt::format("node '{}' ({})", node.name, layer_name(node.layer));
    if (!names.insert(node.name).second) return fail(ErrorCode::InvalidArgument, "{}: the name is used twice", where);
    auto inputs = input_shapes(graph, i, summaries);
    if (!inputs) return pass(inputs, where);
    auto summary = summarize_node(node.layer, *inputs);
    if (!summary) return pass(summary, where);
    summaries.push_back(std::move(*summary));
  }
  if (summaries.back().output.size() != 1) {
    return fail(ErrorCode::InvalidArgument, "the last node '{}' gives {}, not a row of logits", graph.nodes.back().name,
                text(summaries.back().output));
  }
  return summaries;
}

int backbone_end(const Graph& graph) {
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Layer& layer = graph.nodes[i].layer;
    if (std::holds_alternative<GlobalAveragePool>(layer) || std::holds_alternative<GlobalMaxPool>(layer) ||
        std::holds_alternative<Flatten>(layer))
      return static_cast<int>(i);
  }
  return -1;
}

bool is_cut(const Graph& graph, int node) {
  for (std::size_t i = static_cast<std::size_t>(node) + 1; i < graph.nodes.size(); ++i) {
    if (std::ranges::any_of(graph.nodes[i].inputs, [node](int input) { return input < node; })) return false;
  }
  return node >= 0;
}

Result<std::map<std::string, std::vector<std::int64_t>>> weight_shapes(const Graph& graph) {
  TRY(const auto summaries, summarize(graph));
  std::map<std::string, std::vector<std::int64_t>> shapes;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    TRY(const auto inputs, input_shapes(graph, i, summaries));
    for (auto& [suffix, shape] : tensors_of(graph.nodes[i].layer, inputs.front())) {
      const std::string name = fmt::format("{}.{}", graph.nodes[i].name, suffix);
      if (!shapes.emplace(name, std::move(shape)).second) {
        return fail(ErrorCode::InvalidArgument, "two nodes share the weight '{}'", name);
      }
    }
  }
  return shapes;
}

Result<void> check_weights(const Graph& graph, const Weights& weights) {
  TRY(const auto expected, weight_shapes(graph));
  for (const auto& [name, shape] : expected) {
    const auto found = weights.find(name);
    if (found == weights.end()) {
      return fail(ErrorCode::InvalidArgument, "the weights have no '{}' [{}], which {} needs", name,
                  fmt::join(shape, ", "), graph.architecture);
    }
    const Tensor& tensor = found->second;
    if (tensor.shape != shape) {
      return fail(ErrorCode::InvalidArgument, "weight '{}' is [{}], but {} needs [{}]", name,
                  fmt::join(tensor.shape, ", "), graph.architecture, fmt::join(shape, ", "));
    }
    if (static_cast<std::int64_t>(tensor.data.size()) != elements(shape)) {
      return fail(ErrorCode::InvalidArgument, "weight '{}' has {} values for the shape [{}]", name, tensor.data.size(),
                  fmt::join(shape, ", "));
    }
  }
  for (const auto& [name, tensor] : weights) {
    if (!expected.contains(name)) {
      return fail(ErrorCode::InvalidArgument, "weight '{}' is not part of {}", name, graph.architecture);
    }
  }
  return {};
}

std::string_view layer_name(const Layer& layer) noexcept {
  constexpr std::string_view kNames[] = {
      "conv2d", "batch_norm2d", "activation", "pool2d", "global_average_pool", "global_max_pool", "flatten",
      "linear", "dropout",      "add",        "scale"};
  static_assert(std::size(kNames) == std::variant_size_v<Layer>);
  return kNames[layer.index()];
}

}  // namespace imago::model
