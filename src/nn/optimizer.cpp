// SPDX-License-Identifier: Apache-2.0
#include "nn/optimizer.hpp"

#include <cmath>

namespace imago::nn {

Optimizer::Optimizer(const OptimizerSettings& settings, const Layout& layout, torch::Device device)
    : settings_(settings),
      first_(torch::zeros({layout.trained_size()}, torch::TensorOptions(torch::kFloat32).device(device))),
      second_(settings.kind == OptimizerKind::Sgd ? torch::empty({0}) : torch::zeros_like(first_)) {
  for (int i = 0; i < kTrainedRoles; ++i) {
    const auto role = static_cast<Role>(i);
    const Range range = layout.range(role);
    if (range.size == 0) continue;
    const bool decays = role == Role::Weight || settings.decay_bias_and_norm;
    Group group{range, role == Role::NormBias ? settings.norm_bias_lr_factor : 1.0,
                decays ? settings.weight_decay : 0.0, role == Role::WhiteningBias};
    const bool like_last = !groups_.empty() && groups_.back().rate_factor == group.rate_factor &&
                           groups_.back().weight_decay == group.weight_decay && !group.whitening_bias;
    if (like_last) {
      groups_.back().range.size += range.size;
    } else {
      groups_.push_back(group);
    }
  }
}

void Optimizer::step(torch::Tensor& values, torch::Tensor& gradient, double learning_rate, bool skip_whitening_bias) {
  ++steps_;
  for (const Group& group : groups_) {
    if (group.whitening_bias && skip_whitening_bias) continue;
    const auto part = [&](const torch::Tensor& flat) { return flat.narrow(0, group.range.begin, group.range.size); };
    const double rate = learning_rate * group.rate_factor;
    if (settings_.kind == OptimizerKind::Sgd) {
      update_sgd(group, part(values), part(gradient), rate);
    } else {
      update_adam(group, part(values), part(gradient), rate);
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
  auto momentum = first_.narrow(0, group.range.begin, group.range.size);
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
  auto first = first_.narrow(0, group.range.begin, group.range.size);
  auto second = second_.narrow(0, group.range.begin, group.range.size);
  first.lerp_(gradient, 1.0 - settings_.beta1);
  second.mul_(settings_.beta2).addcmul_(gradient, gradient, 1.0 - settings_.beta2);
  const double correction1 = 1.0 - std::pow(settings_.beta1, static_cast<double>(steps_));
  const double correction2 = 1.0 - std::pow(settings_.beta2, static_cast<double>(steps_));
  const auto denominator = second.sqrt().div_(std::sqrt(correction2)).add_(settings_.eps);
  values.addcdiv_(first, denominator, -rate / correction1);
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
