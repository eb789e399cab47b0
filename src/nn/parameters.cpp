// SPDX-License-Identifier: Apache-2.0
#include "nn/parameters.hpp"

#include <algorithm>
#include <numeric>

namespace imago::nn {
namespace {

Role role_of(const model::Layer& layer, std::string_view suffix) {
  if (suffix == "running_mean" || suffix == "running_var") return Role::Statistic;
  if (const auto* norm = std::get_if<model::BatchNorm2d>(&layer)) {
    if (suffix == "bias") return Role::NormBias;
    return norm->learn_scale ? Role::NormScale : Role::Frozen;
  }
  if (const auto* conv = std::get_if<model::Conv2d>(&layer)) {
    if (suffix == "bias") return conv->init == model::Init::Whitening ? Role::WhiteningBias : Role::Bias;
    return conv->freeze_weight ? Role::Frozen : Role::Weight;
  }
  return suffix == "bias" ? Role::Bias : Role::Weight;
}

torch::Tensor view(const torch::Tensor& flat, const Slot& slot) {
  const auto part = flat.narrow(0, slot.offset, slot.size);
  if (slot.shape.size() != 4) return part.view(slot.shape);
  return part.view({slot.shape[0], slot.shape[2], slot.shape[3], slot.shape[1]}).permute({0, 3, 1, 2});
}

}  // namespace

Result<Layout> Layout::of(const model::Graph& graph, bool freeze_backbone) {
  TRY(const auto shapes, model::weight_shapes(graph));
  Layout layout;
  const auto frozen = static_cast<std::size_t>(freeze_backbone ? model::backbone_end(graph) + 1 : 0);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const model::Node& node = graph.nodes[i];
    for (const char* suffix : {"weight", "bias", "running_mean", "running_var"}) {
      const auto found = shapes.find(node.name + "." + suffix);
      if (found == shapes.end()) continue;
      const auto size =
          std::accumulate(found->second.begin(), found->second.end(), std::int64_t{1}, std::multiplies<>());
      Role role = role_of(node.layer, suffix);
      if (i < frozen && is_trained(role)) role = Role::Frozen;
      layout.slots_.push_back({found->first, found->second, role, 0, size});
    }
  }
  std::ranges::stable_sort(layout.slots_, {}, &Slot::role);
  for (Slot& slot : layout.slots_) {
    std::int64_t& used = is_trained(slot.role) ? layout.trained_size_ : layout.kept_size_;
    slot.offset = used;
    used += slot.size;
  }
  return layout;
}

int Layout::find(const std::string& name) const {
  const auto found = std::ranges::find(slots_, name, &Slot::name);
  return found == slots_.end() ? -1 : static_cast<int>(found - slots_.begin());
}

Values Values::zeros(const Layout& layout, torch::Device device) {
  const auto options = torch::TensorOptions(torch::kFloat32).device(device);
  return {torch::zeros({layout.trained_size()}, options), torch::zeros({layout.kept_size()}, options)};
}

std::vector<torch::Tensor> Values::views(const Layout& layout, bool leaves) const {
  std::vector<torch::Tensor> tensors;
  for (const Slot& slot : layout.slots()) {
    const bool is_leaf = leaves && is_trained(slot.role);
    const auto tensor = view(is_trained(slot.role) ? trained : kept, slot);
    tensors.push_back(is_leaf ? tensor.detach().requires_grad_(true) : tensor);
  }
  return tensors;
}

void flatten_gradients(const Layout& layout, const std::vector<torch::Tensor>& gradients, torch::Tensor& flat) {
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    auto part = view(flat, layout.slots()[i]);
    if (gradients[i].defined()) {
      part.copy_(gradients[i]);
    } else {
      part.zero_();
    }
  }
}

model::Weights to_weights(const Layout& layout, const Values& values) {
  model::Weights weights;
  const auto tensors = values.views(layout);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const auto plain = tensors[i].to(torch::kCPU).contiguous();
    const float* data = plain.data_ptr<float>();
    weights[layout.slots()[i].name] = {layout.slots()[i].shape, std::vector<float>(data, data + plain.numel())};
  }
  return weights;
}

void copy_weights(const Layout& layout, const model::Weights& weights, Values& values) {
  auto tensors = values.views(layout);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const model::Tensor& from = weights.at(layout.slots()[i].name);
    tensors[i].copy_(torch::tensor(from.data).view(from.shape));
  }
}

}  // namespace imago::nn
