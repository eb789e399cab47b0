// SPDX-License-Identifier: Apache-2.0
#include "nn/optimizer.hpp"

#include <cmath>

#include "nn/muon.hpp"

namespace imago::nn {

namespace {

bool has_second_moment(OptimizerKind kind) { return kind == OptimizerKind::Adam || kind == OptimizerKind::AdamW; }

}  // namespace

Optimizer::Optimizer(const OptimizerSettings& settings, const Layout& layout, torch::Device device)
    : settings_(settings),
      first_(torch::zeros({layout.trained_size()}, torch::TensorOptions(torch::kFloat32).device(device))),
      second_(has_second_moment(settings.kind) ? torch::zeros_like(first_) : torch::empty({0})) {
  for (const Slot& slot : layout.slots()) {
    if (!is_trained(slot.role)) break;
    const Group group = group_of(slot);
    const bool like_last = !groups_.empty() && groups_.back().rate_factor == group.rate_factor &&
                           groups_.back().weight_decay == group.weight_decay && !group.whitening_bias &&
                           groups_.back().filters == 0 && group.filters == 0;
    if (like_last) {
      groups_.back().size += group.size;
    } else {
      groups_.push_back(group);
    }
  }
}

Optimizer::Group Optimizer::group_of(const Slot& slot) const {
  Group group{.begin = slot.offset, .size = slot.size};
  const bool muon = settings_.kind == OptimizerKind::Muon;
  if (muon && slot.role == Role::Weight && slot.shape.size() == 4) {
    group.filters = slot.shape.front();
    return group;
  }
  group.whitening_bias = slot.role == Role::WhiteningBias;
  if (slot.role == Role::NormBias) group.rate_factor = settings_.norm_bias_lr_factor;
  if (group.whitening_bias) group.rate_factor = settings_.whitening_bias_lr_factor;
  if (muon) group.rate_factor *= settings_.muon_sgd_lr_factor;
  if (slot.role == Role::Weight || settings_.decay_bias_and_norm) group.weight_decay = settings_.weight_decay;
  return group;
}

void Optimizer::step(torch::Tensor& values, torch::Tensor& gradient, double learning_rate,
                     std::optional<double> whitening_bias_rate) {
  ++steps_;
  for (const Group& group : groups_) {
    if (group.whitening_bias && !whitening_bias_rate) continue;
    const double rate = (group.whitening_bias ? *whitening_bias_rate : learning_rate) * group.rate_factor;
    if (group.filters > 0) {
      update_muon(group, group.of(values), group.of(gradient), rate);
    } else if (has_second_moment(settings_.kind)) {
      update_adam(group, group.of(values), group.of(gradient), rate);
    } else {
      update_sgd(group, group.of(values), group.of(gradient), rate);
    }
  }
}

void Optimizer::update_sgd(const Group& group, torch::Tensor values, torch::Tensor gradient, double rate) {
  // The decay a step is that of the base rate: a rate factor on biases is not meant to shrink them faster.
  if (group.weight_decay != 0.0) gradient.add_(values, group.weight_decay / group.rate_factor);
  if (settings_.momentum == 0.0) {
    values.sub_(gradient, rate);
    return;
  }
  auto momentum = group.of(first_);
  momentum.mul_(settings_.momentum).add_(gradient);
  if (settings_.nesterov) {
    values.sub_(gradient.add_(momentum, settings_.momentum), rate);
  } else {
    values.sub_(momentum, rate);
  }
}

void Optimizer::update_adam(const Group& group, torch::Tensor values, torch::Tensor gradient, double rate) {
  if (group.weight_decay != 0.0) {
    if (settings_.kind == OptimizerKind::AdamW) {
      values.mul_(1.0 - rate / group.rate_factor * group.weight_decay);
    } else {
      gradient.add_(values, group.weight_decay);
    }
  }
  auto first = group.of(first_);
  auto second = group.of(second_);
  first.lerp_(gradient, 1.0 - settings_.beta1);
  second.mul_(settings_.beta2).addcmul_(gradient, gradient, 1.0 - settings_.beta2);
  const double correction1 = 1.0 - std::pow(settings_.beta1, static_cast<double>(steps_));
  const double correction2 = 1.0 - std::pow(settings_.beta2, static_cast<double>(steps_));
  const auto denominator = second.sqrt().div_(std::sqrt(correction2)).add_(settings_.eps);
  values.addcdiv_(first, denominator, -rate / correction1);
}

void Optimizer::update_muon(const Group& group, torch::Tensor values, torch::Tensor gradient, double rate) {
  const double filters = static_cast<double>(group.filters);
  auto momentum = group.of(first_);
  momentum.mul_(settings_.muon_momentum).add_(gradient);
  const auto direction = settings_.nesterov ? gradient.add_(momentum, settings_.muon_momentum) : momentum;
  values.mul_(std::sqrt(filters) / values.norm());  // instead of a weight decay
  // Each filter is a row; that its values lie channels_last only permutes the columns.
  values.view({group.filters, -1}).sub_(orthogonalize(direction.view({group.filters, -1})), rate);
}

std::vector<torch::Tensor> Optimizer::state() const {
  return {first_, second_, torch::tensor({steps_}, torch::kInt64)};
}

void Optimizer::set_state(const std::vector<torch::Tensor>& state) {
  first_.copy_(state[0]);
  second_.copy_(state[1]);
  steps_ = state[2].item<std::int64_t>();
}

}  // namespace imago::nn
