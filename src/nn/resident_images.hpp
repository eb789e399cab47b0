// SPDX-License-Identifier: Apache-2.0
// A split's images where the learner computes, and the batches made of them there: gathered, mirrored, shifted, cut and
// normalised in a handful of operations on the whole batch. Whatever the device, the bits are those of the plain way,
// data::augment and image::normalize, which the tests hold it to.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <span>
#include <string>

#include "nn/learner.hpp"

namespace imago::nn {

/// True when these settings ask for images on this device if they can be there.
bool may_hold(const LearnerSettings& settings, torch::Device device);

/// Why the images stay in the host's memory after all, in a line; empty when nothing speaks against the device.
std::string obstacle_to_holding(const LearnerSettings& settings, const data::PackedSplit& images,
                                const data::Augmentation& augmentation, torch::Device device);

class ResidentImages {
 public:
  /// Copies the pixels. @param cutout Side of the square that every image loses to its mean colour; 0: none does.
  ResidentImages(const data::PackedSplit& images, const image::Preprocess& preprocess, int cutout,
                 torch::Device device);

  /// InvalidArgument when an image is not there or the shape is another.
  [[nodiscard]] Result<void> check(std::span<const Pick> picks, const image::ImageBatch& shape) const;

  /// float32 [n, 3, height, width], channels last. The picks have been checked.
  [[nodiscard]] torch::Tensor batch(std::span<const Pick> picks) const;

  [[nodiscard]] double megabytes() const;

 private:
  [[nodiscard]] torch::Tensor drawn(std::span<const Pick> picks) const;
  [[nodiscard]] torch::Tensor cut_out(const torch::Tensor& images, const torch::Tensor& left,
                                      const torch::Tensor& top) const;
  [[nodiscard]] torch::Tensor normalized(const torch::Tensor& images) const;

  std::int64_t size_, height_, width_;
  int cutout_;
  torch::Tensor pixels_;  // uint8 [size * height * width, 3]
  torch::Tensor values_;  // float32 [3 * 256]: what each value of a channel is to the network
  torch::Tensor starts_;  // int32 [3]: where a channel's begin
  torch::Tensor x_, y_;   // int64 [1, 1, width], [1, height, 1]: 0, 1, 2, ...
};

}  // namespace imago::nn
