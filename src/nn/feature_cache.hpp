// SPDX-License-Identifier: Apache-2.0
// What a frozen backbone made of images, by the images' content.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "image/image.hpp"

namespace imago::nn {

class FeatureCache {
 public:
  /// Rows for the items of a batch with these indices.
  using Compute = std::function<torch::Tensor(const std::vector<std::int64_t>& items)>;

  /// One row an image, computed for those that are not known yet; the same to the bit whatever else is in the batch.
  torch::Tensor of(const image::ImageBatch& batch, const Compute& compute);
  void clear();

 private:
  std::unordered_map<std::string, torch::Tensor> rows_;  // by sha256 of the pixels
  std::size_t bytes_ = 0;
};

}  // namespace imago::nn
