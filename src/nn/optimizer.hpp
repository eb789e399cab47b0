// SPDX-License-Identifier: Apache-2.0
// SGD, Adam, AdamW and Muon on the flat tensor of trained values. torch::optim walks a list of small tensors; a small
// network would spend a good part of its time in that loop.
#pragma once

#include <torch/torch.h>

#include <optional>
#include <vector>

#include "nn/learner.hpp"
#include "nn/parameters.hpp"

namespace imago::nn {

class Optimizer {
 public:
  Optimizer(const OptimizerSettings& settings, const Layout& layout, torch::Device device);

  /// `gradient` is used up. The rates are StepOptions'.
  void step(torch::Tensor& values, torch::Tensor& gradient, double learning_rate,
            std::optional<double> whitening_bias_rate);

  /// Moments and counters, for checkpoints: fixed in number and shape.
  [[nodiscard]] std::vector<torch::Tensor> state() const;
  void set_state(const std::vector<torch::Tensor>& state);

 private:
  /// Neighbouring values that are updated alike.
  struct Group {
    std::int64_t begin = 0, size = 0;
    double rate_factor = 1.0;
    double weight_decay = 0.0;
    bool whitening_bias = false;
    std::int64_t filters = 0;  ///< of a convolution that Muon updates, which is a group of its own; else 0

    [[nodiscard]] torch::Tensor of(const torch::Tensor& flat) const { return flat.narrow(0, begin, size); }
  };

  [[nodiscard]] Group group_of(const Slot& slot) const;
  void update_sgd(const Group& group, torch::Tensor values, torch::Tensor gradient, double rate);
  void update_adam(const Group& group, torch::Tensor values, torch::Tensor gradient, double rate);
  void update_muon(const Group& group, torch::Tensor values, torch::Tensor gradient, double rate);

  OptimizerSettings settings_;
  std::vector<Group> groups_;
  torch::Tensor first_;   // momentum, or Adam's first moment
  torch::Tensor second_;  // Adam's second moment
  std::int64_t steps_ = 0;
};

}  // namespace imago::nn
