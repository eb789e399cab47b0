// SPDX-License-Identifier: Apache-2.0
#include "nn/resident_images.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "nn/device_group.hpp"

namespace imago::nn {
namespace {

using torch::Tensor;

constexpr std::int64_t kCopiedTogether = 1024;
constexpr std::int64_t kColumns = 6;  // of what is drawn for an image

std::size_t bytes_of(const data::PackedSplit& images) { return images.size() * images.image(0).size(); }

/// image::normalize of every value a pixel can have: it looks at one pixel at a time, so a table holds all it does.
Tensor normalized_values(image::Preprocess preprocess) {
  preprocess.width = 256;
  preprocess.height = 1;
  std::array<std::uint8_t, 256 * 3> pixels{};
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i / 3);
  Tensor values = torch::empty({256 * 3}, torch::kFloat32);
  image::normalize(pixels, preprocess, std::span(values.data_ptr<float>(), pixels.size()));
  return values;
}

/// image::reflect of every index.
Tensor reflected(const Tensor& index, std::int64_t n) {
  if (n == 1) return torch::zeros_like(index);
  return (n - 1) - (index.remainder(2 * (n - 1)) - (n - 1)).abs();
}

}  // namespace

bool may_hold(const LearnerSettings& settings, torch::Device device) {
  return settings.data_on == DataOn::Device || (settings.data_on == DataOn::Auto && !device.is_cpu());
}

std::string obstacle_to_holding(const LearnerSettings& settings, const data::PackedSplit& images,
                                const data::Augmentation& augmentation, torch::Device device) {
  constexpr std::string_view kStay = "the training images stay in the host's memory: ";
  if (settings.freeze_backbone)
    return fmt::format("{}what a frozen backbone makes of an image is known by the pixels", kStay);
  if (!data::only_places(augmentation))
    return fmt::format("{}of augmentations, only flip, crop_padding and cutout are done on the device", kStay);
  if (settings.data_on == DataOn::Device) return "";
  const std::size_t room = free_memory(device) / 2;
  if (bytes_of(images) <= room) return "";
  return fmt::format("{}{} bytes, of {} that may be taken on {}", kStay, bytes_of(images), room, device.str());
}

ResidentImages::ResidentImages(const data::PackedSplit& images, const image::Preprocess& preprocess, int cutout,
                               torch::Device device)
    : size_(static_cast<std::int64_t>(images.size())),
      height_(images.height()),
      width_(images.width()),
      cutout_(cutout),
      pixels_(torch::empty({size_ * height_ * width_, 3}, torch::TensorOptions(torch::kUInt8).device(device))),
      values_(normalized_values(preprocess).to(device)),
      starts_(torch::tensor({0, 256, 512}, torch::kInt32).to(device)),
      x_(torch::arange(width_, torch::kInt64).to(device).view({1, 1, width_})),
      y_(torch::arange(height_, torch::kInt64).to(device).view({1, height_, 1})) {
  const std::int64_t rows = height_ * width_;
  for (std::int64_t begin = 0; begin < size_; begin += kCopiedTogether) {
    const std::int64_t count = std::min(kCopiedTogether, size_ - begin);
    const Tensor some = torch::empty({count * rows, 3}, torch::kUInt8);
    for (std::int64_t i = 0; i < count; ++i) {
      const auto image = images.image(static_cast<std::size_t>(begin + i));
      std::memcpy(some.data_ptr<std::uint8_t>() + i * rows * 3, image.data(), image.size());
    }
    pixels_.narrow(0, begin * rows, count * rows).copy_(some);
  }
}

Result<void> ResidentImages::check(std::span<const Pick> picks, const image::ImageBatch& shape) const {
  if (shape.height != height_ || shape.width != width_)
    return fail(ErrorCode::InvalidArgument, "a batch of {} x {} pixels, but the images held have {} x {}", shape.width,
                shape.height, width_, height_);
  for (const Pick& pick : picks) {
    if (pick.image >= static_cast<std::size_t>(size_))
      return fail(ErrorCode::InvalidArgument, "image {}, but {} are held", pick.image, size_);
  }
  return {};
}

Tensor ResidentImages::batch(std::span<const Pick> picks) const {
  const torch::NoGradGuard no_gradients;
  const auto n = static_cast<std::int64_t>(picks.size());
  const auto column = drawn(picks).view({kColumns, n, 1, 1}).unbind(0);
  const Tensor &image = column[0], &mirror = column[1], &dx = column[2], &dy = column[3];
  const Tensor x = reflected(x_ + mirror * ((width_ - 1) - 2 * x_) + dx, width_);  // mirrored: width - 1 - x
  const Tensor y = reflected(y_ + dy, height_);
  const Tensor rows = (image * height_ + y) * width_ + x;
  Tensor images = pixels_.index_select(0, rows.flatten()).view({n, height_, width_, 3});
  if (cutout_ > 0) images = cut_out(images, column[4], column[5]);
  return normalized(images).permute({0, 3, 1, 2});
}

/// int64 [kColumns, n], in one copy to the device.
Tensor ResidentImages::drawn(std::span<const Pick> picks) const {
  const std::size_t n = picks.size();
  const Tensor all = torch::empty({kColumns, static_cast<std::int64_t>(n)}, torch::kInt64);
  auto* out = all.data_ptr<std::int64_t>();
  for (std::size_t i = 0; i < n; ++i) {
    const data::Placement& at = picks[i].placement;
    out[i] = static_cast<std::int64_t>(picks[i].image);
    out[n + i] = at.mirror ? 1 : 0;
    out[2 * n + i] = at.dx;
    out[3 * n + i] = at.dy;
    out[4 * n + i] = at.cut_left;
    out[5 * n + i] = at.cut_top;
  }
  return all.to(pixels_.device());
}

Tensor ResidentImages::cut_out(const Tensor& images, const Tensor& left, const Tensor& top) const {
  const std::int64_t count = height_ * width_;
  const Tensor total = images.sum({1, 2}, true, torch::kInt64);
  const Tensor mean = (total + count / 2).div(count, "floor").to(torch::kUInt8);
  const Tensor inside = x_.ge(left) & x_.lt(left + cutout_) & y_.ge(top) & y_.lt(top + cutout_);
  return torch::where(inside.unsqueeze(3), mean, images);
}

Tensor ResidentImages::normalized(const Tensor& images) const {
  const Tensor places = images.to(torch::kInt32) + starts_;
  return values_.index_select(0, places.flatten()).view(images.sizes());
}

double ResidentImages::megabytes() const { return static_cast<double>(pixels_.nbytes()) / 1e6; }

}  // namespace imago::nn
