// SPDX-License-Identifier: Apache-2.0
// What a batch's logits are worth.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "nn/learner.hpp"

namespace imago::nn {

/// Columns for all classes: one logit alone is that of the second of two, the first's is 0.
torch::Tensor widen(const torch::Tensor& logits);

/// Cross-entropy with label smoothing and class weights as PyTorch has it; of one logit binary cross-entropy, which is
/// the cross-entropy of its two columns.
class Loss {
 public:
  Loss(const LossSettings& settings, torch::Device device);

  /// Over the batch. @param logits [batch.images.n, outputs].
  [[nodiscard]] torch::Tensor mean(const torch::Tensor& logits, const Batch& batch) const;
  /// What the sum over the batch is divided by: the number of images, or the sum of their classes' weights.
  [[nodiscard]] double divisor(const Batch& batch) const;
  /// Images whose largest logit is their label's.
  [[nodiscard]] int count_correct(const torch::Tensor& logits, const Batch& batch) const;

 private:
  [[nodiscard]] torch::Tensor of(const torch::Tensor& logits, const std::vector<int>& labels,
                                 at::Reduction::Reduction reduction) const;
  [[nodiscard]] torch::Tensor to_tensor(const std::vector<int>& labels) const;

  double smoothing_;
  torch::Device device_;
  torch::Tensor class_weights_;  // undefined: all the same
};

}  // namespace imago::nn
