// SPDX-License-Identifier: Apache-2.0
#include "nn/loss.hpp"

namespace imago::nn {

using torch::Tensor;

Tensor widen(const Tensor& logits) {
  return logits.size(1) > 1 ? logits : torch::cat({torch::zeros_like(logits), logits}, 1);
}

Loss::Loss(const LossSettings& settings, torch::Device device) : smoothing_(settings.label_smoothing), device_(device) {
  if (!settings.class_weights.empty())
    class_weights_ = torch::tensor(settings.class_weights, torch::kFloat32).to(device);
}

Tensor Loss::mean(const Tensor& logits, const Batch& batch) const {
  if (batch.weights.empty()) return of(logits, batch.labels, at::Reduction::Mean);
  // Mixed images have the losses of two classes, each with its share.
  auto* data = const_cast<float*>(batch.weights.data());  // from_blob takes no const pointer; only read
  const Tensor shares = torch::from_blob(data, {batch.images.n}, torch::kFloat32).to(device_);
  const Tensor first = of(logits, batch.labels, at::Reduction::None);
  const Tensor second = of(logits, batch.second_labels, at::Reduction::None);
  return (shares * first + (1.0 - shares) * second).mean();
}

double Loss::divisor(const Batch& batch) const {
  if (!class_weights_.defined() || !batch.weights.empty()) return batch.images.n;
  return class_weights_.index_select(0, to_tensor(batch.labels)).sum().item<double>();
}

int Loss::count_correct(const Tensor& logits, const Batch& batch) const {
  const Tensor guesses = logits.size(1) > 1 ? logits.argmax(1) : (logits.squeeze(1) > 0).to(torch::kInt64);
  return guesses.eq(to_tensor(batch.labels)).sum().item<int>();
}

Tensor Loss::of(const Tensor& logits, const std::vector<int>& labels, at::Reduction::Reduction reduction) const {
  const Tensor truth = to_tensor(labels);
  if (logits.size(1) > 1 || class_weights_.defined())
    return torch::cross_entropy_loss(widen(logits), truth, class_weights_, reduction, -100, smoothing_);
  const Tensor targets = truth.to(torch::kFloat32) * (1.0 - smoothing_) + smoothing_ / 2.0;
  return torch::binary_cross_entropy_with_logits(logits.squeeze(1), targets, {}, {}, reduction);
}

Tensor Loss::to_tensor(const std::vector<int>& labels) const {
  auto* data = const_cast<int*>(labels.data());
  return torch::from_blob(data, {static_cast<std::int64_t>(labels.size())}, torch::kInt32)
      .to(torch::TensorOptions(torch::kInt64).device(device_));
}

}  // namespace imago::nn
