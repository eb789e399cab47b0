// SPDX-License-Identifier: Apache-2.0
#include "nn/network.hpp"

#include <algorithm>

#include "nn/convolution.hpp"

namespace imago::nn {
namespace {

using torch::Tensor;

std::vector<int> consumers(const model::Graph& graph) {
  std::vector<int> count(graph.nodes.size(), 0);
  for (const model::Node& node : graph.nodes) {
    for (const int input : node.inputs) {
      if (input >= 0) ++count[static_cast<std::size_t>(input)];
    }
  }
  return count;
}

bool is_relu(const model::Layer& layer) {
  const auto* activate = std::get_if<model::Activate>(&layer);
  return activate != nullptr &&
         (activate->function == model::Activation::Relu || activate->function == model::Activation::Relu6);
}

/// A maximum and a function that never falls may change places: the values and gradients are the same, and the function
/// then has a quarter of the work.
model::Graph pool_before_relu(model::Graph graph) {
  const auto count = consumers(graph);
  for (std::size_t i = 0; i + 1 < graph.nodes.size(); ++i) {
    model::Node &relu = graph.nodes[i], &pool = graph.nodes[i + 1];
    const auto* kind = std::get_if<model::Pool2d>(&pool.layer);
    if (kind == nullptr || kind->kind != model::Pool::Max || !is_relu(relu.layer)) continue;
    if (count[i] == 1 && pool.inputs.front() == static_cast<int>(i)) std::swap(relu.layer, pool.layer);
  }
  return graph;
}

/// True for layers whose backward pass does not need their own output.
bool output_is_spare(const model::Layer& layer) {
  return std::holds_alternative<model::Conv2d>(layer) || std::holds_alternative<model::BatchNorm2d>(layer) ||
         std::holds_alternative<model::Linear>(layer) || std::holds_alternative<model::Add>(layer) ||
         std::holds_alternative<model::Pool2d>(layer);
}

Tensor cast(const Tensor& tensor, at::ScalarType type) { return tensor.defined() ? tensor.to(type) : tensor; }

/// oneDNN's GELU, four times as fast as libtorch's own, takes only what is contiguous in the order of the axes;
/// channels last is, looked at as [n, h, w, c].
Tensor fast_gelu(const Tensor& x) {
  if (x.dim() != 4 || !x.is_contiguous(torch::MemoryFormat::ChannelsLast)) return torch::gelu(x);
  return torch::gelu(x.permute({0, 2, 3, 1})).permute({0, 3, 1, 2});
}

Tensor activate(model::Activation function, const Tensor& x, bool in_place) {
  switch (function) {
    case model::Activation::Relu: return in_place ? x.relu_() : x.relu();
    case model::Activation::Relu6: return in_place ? x.clamp_(0.0, 6.0) : x.clamp(0.0, 6.0);
    case model::Activation::Gelu: return fast_gelu(x);
    case model::Activation::Silu: return torch::silu(x);
  }
  EXPECTS(false, "an activation without an implementation");
}

Tensor pool(const model::Pool2d& pool, const Tensor& x) {
  return pool.kind == model::Pool::Max ? torch::max_pool2d(x, pool.kernel, pool.stride)
                                       : torch::avg_pool2d(x, pool.kernel, pool.stride);
}

Tensor drop(const model::Dropout& dropout, const Tensor& x, const ForwardMode& mode) {
  if (!mode.training || dropout.probability <= 0.0F) return x;
  const double keep = 1.0 - static_cast<double>(dropout.probability);
  return x * torch::empty_like(x).bernoulli_(keep, *mode.generator).div_(keep);
}

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

}  // namespace

Result<Network> Network::of(const model::Graph& graph, bool freeze_backbone) {
  TRY(const auto summaries, model::summarize(graph));
  TRY(auto layout, Layout::of(graph, freeze_backbone));
  if (freeze_backbone && !model::is_cut(graph, model::backbone_end(graph)))
    return fail(ErrorCode::InvalidArgument, "{} has no backbone that could be frozen", graph.architecture);
  if (layout.trained_size() == 0)
    return fail(ErrorCode::InvalidArgument, "{} has nothing to train", graph.architecture);
  return Network(pool_before_relu(graph), std::move(layout), summaries.back().output.front());
}

Network::Network(model::Graph graph, Layout layout, int outputs)
    : graph_(std::move(graph)), layout_(std::move(layout)), outputs_(outputs) {
  const auto count = consumers(graph_);
  for (const model::Node& node : graph_.nodes) {
    const auto find = [&](const char* suffix) { return layout_.find(node.name + "." + suffix); };
    const int input = node.inputs.front();
    const auto from = static_cast<std::size_t>(input);
    const bool spare = input >= 0 && count[from] == 1 && output_is_spare(graph_.nodes[from].layer);
    for (const int used : node.inputs) {
      if (used >= 0) bound_[static_cast<std::size_t>(used)].last_use = bound_.size();
    }
    bound_.push_back({find("weight"), find("bias"), find("running_mean"), find("running_var"), spare});
  }
}

Result<Network> Network::unfrozen() const {
  TRY(auto layout, Layout::of(graph_));
  return Network(graph_, std::move(layout), outputs_);
}

Tensor Network::forward(const Tensor& images, const std::vector<Tensor>& tensors, const ForwardMode& mode) const {
  return forward_to(static_cast<int>(graph_.nodes.size()) - 1, images, tensors, mode).to(torch::kFloat32);
}

Tensor Network::forward_to(int node, const Tensor& images, const std::vector<Tensor>& tensors,
                           const ForwardMode& mode) const {
  std::vector<Tensor> outputs(graph_.nodes.size());
  const auto last = static_cast<std::size_t>(node);
  compute(0, last + 1, images, outputs, tensors, mode);
  return outputs[last];
}

Tensor Network::forward_from(int node, const Tensor& output, const std::vector<Tensor>& tensors,
                             const ForwardMode& mode) const {
  std::vector<Tensor> outputs(graph_.nodes.size());
  const auto first = static_cast<std::size_t>(node);
  outputs[first] = output;
  compute(first + 1, graph_.nodes.size(), {}, outputs, tensors, mode);
  return outputs.back().to(torch::kFloat32);
}

void Network::compute(std::size_t begin, std::size_t end, const Tensor& images, std::vector<Tensor>& outputs,
                      const std::vector<Tensor>& tensors, const ForwardMode& mode) const {
  for (std::size_t i = begin; i < end; ++i) {
    std::vector<Tensor> inputs;
    for (const int from : graph_.nodes[i].inputs) {
      inputs.push_back(from < 0 ? images : outputs[static_cast<std::size_t>(from)]);
    }
    outputs[i] = apply(i, inputs, tensors, mode);
    // Without gradients nobody else holds it, and what comes next takes its memory.
    for (const int from : graph_.nodes[i].inputs) {
      const auto used = static_cast<std::size_t>(from);
      if (from >= 0 && bound_[used].last_use == i) outputs[used] = Tensor();
    }
  }
}

Tensor Network::apply(std::size_t node, const std::vector<Tensor>& inputs, const std::vector<Tensor>& tensors,
                      const ForwardMode& mode) const {
  const Bound& bound = bound_[node];
  const auto tensor = [&](int slot) { return slot < 0 ? Tensor() : tensors[static_cast<std::size_t>(slot)]; };
  const Tensor& x = inputs.front();
  return std::visit(
      Overloaded{
          [&](const model::Conv2d& conv) {
            return convolve(conv, cast(x, mode.type), cast(tensor(bound.weight), mode.type),
                            cast(tensor(bound.bias), mode.type));
          },
          [&](const model::BatchNorm2d& norm) {
            return torch::batch_norm(x, tensor(bound.weight), tensor(bound.bias), tensor(bound.mean),
                                     tensor(bound.variance), mode.training, norm.momentum, norm.eps, true);
          },
          [&](const model::Activate& layer) { return activate(layer.function, x, bound.may_overwrite_input); },
          [&](const model::Pool2d& layer) { return pool(layer, x); },
          [&](const model::GlobalAveragePool&) {
            return x.mean({2, 3});
          },
          [&](const model::GlobalMaxPool&) {
            return x.amax({2, 3});
          },
          [&](const model::Flatten&) { return x.contiguous().flatten(1); },
          [&](const model::Linear&) {
            return torch::linear(cast(x, mode.type), cast(tensor(bound.weight), mode.type),
                                 cast(tensor(bound.bias), mode.type));
          },
          [&](const model::Dropout& dropout) { return drop(dropout, x, mode); },
          [&](const model::Add&) { return inputs[0] + inputs[1]; },
          [&](const model::Scale& scale) { return x * scale.factor; },
      },
      graph_.nodes[node].layer);
}

}  // namespace imago::nn
