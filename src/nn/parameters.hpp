// SPDX-License-Identifier: Apache-2.0
// Where a network's values live: all that is trained in one flat tensor, all that is kept beside it (running
// statistics, frozen weights) in another. An update, an average or a checkpoint is then a handful of operations on
// whole buffers rather than a loop over many small tensors, on any device.
#pragma once

#include <torch/torch.h>

#include <string>
#include <vector>

#include "base/error.hpp"
#include "model/graph.hpp"
#include "model/tensor.hpp"

namespace imago::nn {

/// What a tensor is to the optimiser. Trained ones first, in the order in which they lie in the flat tensor.
enum class Role { Weight, Bias, NormScale, NormBias, WhiteningBias, Frozen, Statistic };
constexpr int kTrainedRoles = 5;
constexpr bool is_trained(Role role) { return static_cast<int>(role) < kTrainedRoles; }

struct Slot {
  std::string name;  ///< "conv1.weight"
  std::vector<std::int64_t> shape;
  Role role = Role::Weight;
  std::int64_t offset = 0;  ///< in its flat tensor
  std::int64_t size = 0;
};

/// The tensors of a graph, ordered by role.
class Layout {
 public:
  /// With `freeze_backbone`, weights up to model::backbone_end are Frozen.
  static Result<Layout> of(const model::Graph& graph, bool freeze_backbone = false);

  [[nodiscard]] const std::vector<Slot>& slots() const { return slots_; }
  [[nodiscard]] int find(const std::string& name) const;  ///< -1: there is none
  [[nodiscard]] std::int64_t trained_size() const { return trained_size_; }
  [[nodiscard]] std::int64_t kept_size() const { return kept_size_; }

 private:
  std::vector<Slot> slots_;
  std::int64_t trained_size_ = 0;
  std::int64_t kept_size_ = 0;
};

/// One set of values in that layout.
struct Values {
  torch::Tensor trained;
  torch::Tensor kept;

  static Values zeros(const Layout& layout, torch::Device device);
  [[nodiscard]] Values clone() const { return {trained.clone(), kept.clone()}; }
  /// Tensors in slot order that share this memory. Those of four dimensions are channels_last. With `leaves`, trained
  /// ones ask for a gradient.
  [[nodiscard]] std::vector<torch::Tensor> views(const Layout& layout, bool leaves = false) const;
};

/// Flattens gradients (of trained slots, in slot order; undefined is zero) into `flat` as Values lays them out.
void flatten_gradients(const Layout& layout, const std::vector<torch::Tensor>& gradients, torch::Tensor& flat);

model::Weights to_weights(const Layout& layout, const Values& values);
void copy_weights(const Layout& layout, const model::Weights& weights, Values& values);  ///< checked by the caller

}  // namespace imago::nn
