// SPDX-License-Identifier: Apache-2.0
// A Graph as a function on tensors.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "base/error.hpp"
#include "model/graph.hpp"
#include "nn/parameters.hpp"

namespace imago::nn {

/// What a forward pass does beyond computing: in training, BatchNorm uses and updates batch statistics and Dropout
/// draws from `generator`. Convolutions and linear layers compute in `type`, what follows takes its inputs as they
/// come; BatchNorm's sums and the logits are float32 always.
struct ForwardMode {
  bool training = false;
  at::Generator* generator = nullptr;
  at::ScalarType type = at::kFloat;
};

class Network {
 public:
  static Result<Network> of(const model::Graph& graph, bool freeze_backbone = false);

  /// The same network, nothing frozen beyond what its graph freezes.
  [[nodiscard]] Result<Network> unfrozen() const;

  [[nodiscard]] const model::Graph& graph() const { return graph_; }
  [[nodiscard]] const Layout& layout() const { return layout_; }
  [[nodiscard]] int outputs() const { return outputs_; }

  /// @param images [n, c, h, w], channels_last. @param tensors as Values::views gives them. @return [n, outputs].
  [[nodiscard]] torch::Tensor forward(const torch::Tensor& images, const std::vector<torch::Tensor>& tensors,
                                      const ForwardMode& mode) const;
  /// The output of `node`. @param node index in the graph.
  [[nodiscard]] torch::Tensor forward_to(int node, const torch::Tensor& images,
                                         const std::vector<torch::Tensor>& tensors, const ForwardMode& mode) const;
  /// The logits from the output of `node`, at which model::is_cut.
  [[nodiscard]] torch::Tensor forward_from(int node, const torch::Tensor& output,
                                           const std::vector<torch::Tensor>& tensors, const ForwardMode& mode) const;

 private:
  /// Slots of a node's tensors, -1 where it has none; and what may be done to its input.
  struct Bound {
    int weight = -1, bias = -1, mean = -1, variance = -1;
    bool may_overwrite_input = false;
    std::size_t last_use = 0;  ///< the last node that takes this one's output
  };

  Network(model::Graph graph, Layout layout, int outputs);
  /// Computes the nodes from `begin` to before `end`; earlier outputs are there.
  void compute(std::size_t begin, std::size_t end, const torch::Tensor& images, std::vector<torch::Tensor>& outputs,
               const std::vector<torch::Tensor>& tensors, const ForwardMode& mode) const;
  [[nodiscard]] torch::Tensor apply(std::size_t node, const std::vector<torch::Tensor>& inputs,
                                    const std::vector<torch::Tensor>& tensors, const ForwardMode& mode) const;

  model::Graph graph_;
  Layout layout_;
  int outputs_ = 0;
  std::vector<Bound> bound_;
};

}  // namespace imago::nn
