// SPDX-License-Identifier: Apache-2.0
#include "data/augment.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numbers>
#include <vector>

#include "data/augment_policy.hpp"
#include "image/colour.hpp"
#include "image/warp.hpp"

namespace imago::data {
namespace {

/// What chance chose for one image. All is drawn in a fixed order, used or not, so that switching one change on or off
/// does not alter the others; a new change draws after those that were there.
struct Draw {
  bool mirror = false;
  int dx = 0, dy = 0;  // of the crop, in [-padding, padding]
  double angle = 0;    // radians
  double scale = 1;
  double brightness = 1, contrast = 1, saturation = 1;
  double cut_x = 0, cut_y = 0;  // centre of the cutout, share of the sides
  double hue = 0;
  Rng policy{0};  // what RandAugment draws from
};

int shift(Rng& rng, int padding) {
  return static_cast<int>(rng.below(2 * static_cast<std::uint64_t>(padding) + 1)) - padding;
}

bool mirrored(Flip flip, bool coin, std::uint64_t seed, int epoch, std::size_t index) {
  switch (flip) {
    case Flip::None: return false;
    case Flip::Random: return coin;
    case Flip::Alternating: {  // epoch 0 decides by chance, the others follow from it
      const bool first = Rng::for_item(seed, 0, index).chance(0.5);
      return first != (epoch % 2 == 1);
    }
  }
  return false;
}

Draw draw(const Augmentation& augmentation, std::uint64_t seed, int epoch, std::size_t index) {
  auto rng = Rng::for_item(seed, static_cast<std::uint64_t>(epoch), index);
  Draw chosen;
  chosen.mirror = mirrored(augmentation.flip, rng.chance(0.5), seed, epoch, index);
  chosen.dx = shift(rng, augmentation.crop_padding);
  chosen.dy = shift(rng, augmentation.crop_padding);
  chosen.angle = rng.uniform(-1, 1) * augmentation.rotation * 2 * std::numbers::pi;
  chosen.scale = 1 + rng.uniform(-1, 1) * augmentation.zoom;
  chosen.brightness = 1 + rng.uniform(-1, 1) * augmentation.brightness;
  chosen.contrast = 1 + rng.uniform(-1, 1) * augmentation.contrast;
  chosen.saturation = 1 + rng.uniform(-1, 1) * augmentation.saturation;
  chosen.cut_x = rng.uniform();
  chosen.cut_y = rng.uniform();
  chosen.hue = rng.uniform(-1, 1) * augmentation.hue;
  chosen.policy = rng;
  return chosen;
}

void mirror_row(const std::uint8_t* source, int width, std::uint8_t* out) {
  for (int x = 0; x < width; ++x, out += 3) std::memcpy(out, source + (width - 1 - x) * 3, 3);
}

/// The usual case, as fast as copying: rows move whole, only the border is looked up pixel by pixel.
void crop(const std::uint8_t* image, int width, int height, const Draw& chosen, std::uint8_t* out) {
  const std::ptrdiff_t row_bytes = std::ptrdiff_t{width} * 3;
  const int dx = chosen.mirror ? -chosen.dx : chosen.dx;  // shifted first, mirrored then
  const int inside_begin = std::clamp(-dx, 0, width);
  const int inside_end = std::clamp(width - dx, inside_begin, width);
  std::vector<std::uint8_t> mirrored(chosen.mirror ? static_cast<std::size_t>(row_bytes) : 0);
  for (int y = 0; y < height; ++y, out += row_bytes) {
    const std::uint8_t* source = image + image::reflect(y + chosen.dy, height) * row_bytes;
    if (chosen.mirror) {
      mirror_row(source, width, mirrored.data());
      source = mirrored.data();
    }
    std::memcpy(out + inside_begin * 3, source + (inside_begin + dx) * 3,
                static_cast<std::size_t>(inside_end - inside_begin) * 3);
    for (int x = 0; x < inside_begin; ++x) std::memcpy(out + x * 3, source + image::reflect(x + dx, width) * 3, 3);
    for (int x = inside_end; x < width; ++x) std::memcpy(out + x * 3, source + image::reflect(x + dx, width) * 3, 3);
  }
}

/// Rotation and zoom about the centre together with shift and mirror.
image::Warp warp_of(const Draw& chosen) {
  const double cosine = std::cos(chosen.angle) / chosen.scale;
  const double sine = std::sin(chosen.angle) / chosen.scale;
  return {.xx = cosine,
          .xy = sine,
          .yx = -sine,
          .yy = cosine,
          .shift_x = static_cast<double>(chosen.dx),
          .shift_y = static_cast<double>(chosen.dy),
          .mirror = chosen.mirror};
}

/// torchvision's ColorJitter, always in this order.
void jitter(std::span<std::uint8_t> out, const Augmentation& augmentation, const Draw& chosen) {
  if (augmentation.brightness > 0) image::adjust_brightness(out, chosen.brightness);
  if (augmentation.contrast > 0) image::adjust_contrast(out, chosen.contrast);
  if (augmentation.saturation > 0) image::adjust_saturation(out, chosen.saturation);
  if (augmentation.hue > 0) image::adjust_hue(out, chosen.hue);
}

Placement placement_of(const Draw& chosen, int width, int height, int cutout) {
  return {.mirror = chosen.mirror,
          .dx = chosen.dx,
          .dy = chosen.dy,
          .cut_left = static_cast<int>(chosen.cut_x * width) - cutout / 2,
          .cut_top = static_cast<int>(chosen.cut_y * height) - cutout / 2};
}

void cut_out(std::span<std::uint8_t> out, int width, int height, int side, const Placement& at) {
  std::array<std::uint64_t, 3> total{};
  for (std::size_t i = 0; i < out.size(); ++i) total[i % 3] += out[i];
  const std::uint64_t pixels = out.size() / 3;
  std::array<std::uint8_t, 3> mean{};
  for (std::size_t c = 0; c < 3; ++c) mean[c] = static_cast<std::uint8_t>((total[c] + pixels / 2) / pixels);
  for (int y = std::max(at.cut_top, 0); y < std::min(at.cut_top + side, height); ++y)
    for (int x = std::max(at.cut_left, 0); x < std::min(at.cut_left + side, width); ++x)
      std::memcpy(
          &out[(static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)) * 3],
          mean.data(), 3);
}

}  // namespace

bool only_places(Augmentation augmentation) {
  augmentation.flip = Flip::None;
  augmentation.crop_padding = augmentation.cutout = 0;
  augmentation.randaugment_magnitude = Augmentation{}.randaugment_magnitude;  // of no operations
  return augmentation == Augmentation{};
}

Placement place(const Augmentation& augmentation, int width, int height, std::uint64_t seed, int epoch,
                std::size_t index) {
  return placement_of(draw(augmentation, seed, epoch, index), width, height, augmentation.cutout);
}

void augment(std::span<const std::uint8_t> image, int width, int height, const Augmentation& augmentation,
             std::uint64_t seed, int epoch, std::size_t index, std::span<std::uint8_t> out) {
  const auto bytes = static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3;
  EXPECTS(image.size() == bytes && out.size() == bytes && bytes > 0, "augment: both spans hold width * height * 3");
  Draw chosen = draw(augmentation, seed, epoch, index);
  if (augmentation.rotation > 0 || augmentation.zoom > 0) {
    image::warp(image, width, height, warp_of(chosen), out);
  } else {
    crop(image.data(), width, height, chosen, out.data());
  }
  rand_augment(augmentation.randaugment_operations, augmentation.randaugment_magnitude, chosen.policy, out, width,
               height);
  jitter(out, augmentation, chosen);
  const int side = augmentation.cutout;
  if (side > 0) cut_out(out, width, height, side, placement_of(chosen, width, height, side));
}

}  // namespace imago::data
