// SPDX-License-Identifier: Apache-2.0
#include "nn/batch_check.hpp"

#include <algorithm>

namespace imago::nn {
namespace {

Result<void> check_shape(const image::ImageBatch& images, const model::InputShape& want, std::size_t pixels) {
  if (images.n > 0 && images.channels == want.channels && images.height == want.height && images.width == want.width &&
      images.data.size() == pixels)
    return {};
  return fail(ErrorCode::InvalidArgument, "a batch of {} images [{}, {}, {}] for a network that takes [{}, {}, {}]",
              images.n, images.channels, images.height, images.width, want.channels, want.height, want.width);
}

std::size_t pixels_of(const image::ImageBatch& images) {
  return static_cast<std::size_t>(std::max(0, images.n)) * images.item_size();
}

Result<void> check_labels(const std::vector<int>& labels, int classes) {
  for (const int label : labels) {
    if (label < 0 || label >= classes)
      return fail(ErrorCode::InvalidArgument, "label {}, but {} classes", label, classes);
  }
  return {};
}

/// Of mixed images.
Result<void> check_second_labels(const Batch& batch, int classes) {
  if (batch.second_labels.empty() && batch.weights.empty()) return {};
  if (batch.second_labels.size() != batch.labels.size() || batch.weights.size() != batch.labels.size())
    return fail(ErrorCode::InvalidArgument, "{} second labels and {} weights for {} images", batch.second_labels.size(),
                batch.weights.size(), batch.images.n);
  for (const float weight : batch.weights) {
    if (!(weight >= 0.0F && weight <= 1.0F))
      return fail(ErrorCode::InvalidArgument, "weight {} of a label: from 0 to 1", weight);
  }
  return check_labels(batch.second_labels, classes);
}

}  // namespace

Result<void> check_images(const image::ImageBatch& images, const model::InputShape& input) {
  return check_shape(images, input, pixels_of(images));
}

Result<void> check_batch(const Batch& batch, const model::InputShape& input, int classes) {
  TRY_VOID(check_shape(batch.images, input, batch.picks.empty() ? pixels_of(batch.images) : 0));
  const auto n = static_cast<std::size_t>(batch.images.n);
  if (!batch.picks.empty() && batch.picks.size() != n)
    return fail(ErrorCode::InvalidArgument, "{} picks for {} images", batch.picks.size(), n);
  if (batch.labels.size() != n)
    return fail(ErrorCode::InvalidArgument, "{} labels for {} images", batch.labels.size(), n);
  TRY_VOID(check_labels(batch.labels, classes));
  return check_second_labels(batch, classes);
}

}  // namespace imago::nn
