// SPDX-License-Identifier: Apache-2.0
#include "data/augment.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numbers>
#include <vector>

namespace imago::data {
namespace {

constexpr std::size_t kChannels = 3;

/// Pixel coordinate beyond the edge, mirrored without repeating the edge: -1 -> 1, size -> size - 2.
int reflect(int at, int size) {
  if (size == 1) return 0;
  const int period = 2 * (size - 1);
  at = std::abs(at) % period;
  return at < size ? at : period - at;
}

struct Frame {
  int width;
  int height;
  [[nodiscard]] std::size_t row() const { return static_cast<std::size_t>(width) * kChannels; }
};

bool mirrored(Flip flip, std::uint64_t seed, int epoch, std::size_t index, Rng& rng) {
  switch (flip) {
    case Flip::None: return false;
    case Flip::Random: return rng.chance(0.5);
    case Flip::Alternating: {
      // The draw of epoch 0, turned round every other epoch, so it must not depend on this epoch's stream.
      const bool first = Rng::for_item(seed, 0, index).chance(0.5);
      return first != (epoch % 2 == 1);
    }
  }
  return false;
}

/// Shift by (dx, dy) with mirrored borders, and mirror left to right: whole rows are copied where nothing is mirrored.
void shift(std::span<const std::uint8_t> image, Frame frame, int dx, int dy, bool mirror, std::span<std::uint8_t> out) {
  std::array<std::size_t, 4096> columns;  // where each output column comes from
  for (int x = 0; x < frame.width; ++x) {
    const int from = reflect((mirror ? frame.width - 1 - x : x) + dx, frame.width);
    columns[static_cast<std::size_t>(x)] = static_cast<std::size_t>(from) * kChannels;
  }
  for (int y = 0; y < frame.height; ++y) {
    const std::uint8_t* source = image.data() + static_cast<std::size_t>(reflect(y + dy, frame.height)) * frame.row();
    std::uint8_t* target = out.data() + static_cast<std::size_t>(y) * frame.row();
    if (dx == 0 && !mirror) {
      std::memcpy(target, source, frame.row());
      continue;
    }
    for (int x = 0; x < frame.width; ++x, target += kChannels) {
      const std::uint8_t* pixel = source + columns[static_cast<std::size_t>(x)];
      target[0] = pixel[0];
      target[1] = pixel[1];
      target[2] = pixel[2];
    }
  }
}

/// Turns by `angle` (radians) and enlarges by `factor` about the centre; bilinear, mirrored borders.
void warp(std::span<const std::uint8_t> image, Frame frame, double angle, double factor, std::span<std::uint8_t> out) {
  const double cosine = std::cos(angle) / factor;
  const double sine = std::sin(angle) / factor;
  const double centre_x = (frame.width - 1) / 2.0;
  const double centre_y = (frame.height - 1) / 2.0;
  const auto pixel = [&](int x, int y) {
    return image.data() + static_cast<std::size_t>(reflect(y, frame.height)) * frame.row() +
           static_cast<std::size_t>(reflect(x, frame.width)) * kChannels;
  };
  std::uint8_t* target = out.data();
  for (int y = 0; y < frame.height; ++y) {
    for (int x = 0; x < frame.width; ++x, target += kChannels) {
      const double from_x = centre_x + cosine * (x - centre_x) + sine * (y - centre_y);
      const double from_y = centre_y - sine * (x - centre_x) + cosine * (y - centre_y);
      const int left = static_cast<int>(std::floor(from_x));
      const int top = static_cast<int>(std::floor(from_y));
      const double right_share = from_x - left;
      const double bottom_share = from_y - top;
      const auto* a = pixel(left, top);
      const auto* b = pixel(left + 1, top);
      const auto* c = pixel(left, top + 1);
      const auto* d = pixel(left + 1, top + 1);
      for (std::size_t k = 0; k < kChannels; ++k) {
        const double upper = a[k] + right_share * (b[k] - a[k]);
        const double lower = c[k] + right_share * (d[k] - c[k]);
        target[k] = static_cast<std::uint8_t>(std::lround(upper + bottom_share * (lower - upper)));
      }
    }
  }
}

std::uint8_t clamp_byte(double value) { return static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0, 255.0))); }

double gray(const std::uint8_t* pixel) {  // ITU-R BT.601, as torchvision's rgb_to_grayscale
  return 0.2989 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2];
}

/// torchvision's ColorJitter without hue, in its order brightness, contrast, saturation.
void jitter(std::span<std::uint8_t> image, const Augmentation& augmentation, Rng& rng) {
  const auto factor = [&rng](double strength) { return rng.uniform(std::max(0.0, 1.0 - strength), 1.0 + strength); };
  if (augmentation.brightness > 0) {
    const double by = factor(augmentation.brightness);
    for (auto& value : image) value = clamp_byte(value * by);
  }
  if (augmentation.contrast > 0) {
    const double by = factor(augmentation.contrast);
    double mean = 0;
    for (std::size_t i = 0; i < image.size(); i += kChannels) mean += gray(&image[i]);
    mean /= static_cast<double>(image.size() / kChannels);
    for (auto& value : image) value = clamp_byte(by * value + (1 - by) * mean);
  }
  if (augmentation.saturation > 0) {
    const double by = factor(augmentation.saturation);
    for (std::size_t i = 0; i < image.size(); i += kChannels) {
      const double level = gray(&image[i]);
      for (std::size_t k = 0; k < kChannels; ++k) image[i + k] = clamp_byte(by * image[i + k] + (1 - by) * level);
    }
  }
}

/// Covers a square with the image's mean colour; its centre is anywhere in the image (DeVries and Taylor, 2017).
void cut_out(std::span<std::uint8_t> image, Frame frame, int side, Rng& rng) {
  std::array<std::uint64_t, kChannels> sums{};
  for (std::size_t i = 0; i < image.size(); ++i) sums[i % kChannels] += image[i];
  const std::uint64_t pixels = image.size() / kChannels;
  const int left = static_cast<int>(rng.below(static_cast<std::uint64_t>(frame.width))) - side / 2;
  const int top = static_cast<int>(rng.below(static_cast<std::uint64_t>(frame.height))) - side / 2;
  for (int y = std::max(0, top); y < std::min(frame.height, top + side); ++y) {
    for (int x = std::max(0, left); x < std::min(frame.width, left + side); ++x) {
      std::uint8_t* pixel =
          image.data() + static_cast<std::size_t>(y) * frame.row() + static_cast<std::size_t>(x) * kChannels;
      for (std::size_t k = 0; k < kChannels; ++k) pixel[k] = static_cast<std::uint8_t>(sums[k] / pixels);
    }
  }
}

}  // namespace

void augment(std::span<const std::uint8_t> image, int width, int height, const Augmentation& augmentation,
             std::uint64_t seed, int epoch, std::size_t index, std::span<std::uint8_t> out) {
  const Frame frame{width, height};
  EXPECTS(width > 0 && height > 0 && width <= 4096 && image.size() == frame.row() * static_cast<std::size_t>(height) &&
              out.size() == image.size(),
          "augment needs images of width * height * 3");
  Rng rng = Rng::for_item(seed, static_cast<std::uint64_t>(epoch), index);
  const bool mirror = mirrored(augmentation.flip, seed, epoch, index, rng);
  const auto draw = [&rng, padding = augmentation.crop_padding] {
    return padding == 0 ? 0 : static_cast<int>(rng.below(2 * static_cast<std::uint64_t>(padding) + 1)) - padding;
  };
  const int dx = draw();
  const int dy = draw();
  shift(image, frame, dx, dy, mirror, out);
  if (augmentation.rotation > 0 || augmentation.zoom > 0) {
    const double turn = rng.uniform(-augmentation.rotation, augmentation.rotation) * 2 * std::numbers::pi;
    const double factor = 1 + rng.uniform(-augmentation.zoom, augmentation.zoom);
    const std::vector<std::uint8_t> shifted(out.begin(), out.end());
    warp(shifted, frame, turn, factor, out);
  }
  jitter(out, augmentation, rng);
  if (augmentation.cutout > 0) cut_out(out, frame, augmentation.cutout, rng);
}

json::Value to_json(const Augmentation& augmentation) {
  const char* flip = augmentation.flip == Flip::None     ? "none"
                     : augmentation.flip == Flip::Random ? "random"
                                                         : "alternating";
  return {{"flip", flip},
          {"crop_padding", augmentation.crop_padding},
          {"rotation", augmentation.rotation},
          {"zoom", augmentation.zoom},
          {"brightness", augmentation.brightness},
          {"contrast", augmentation.contrast},
          {"saturation", augmentation.saturation},
          {"cutout", augmentation.cutout}};
}

namespace {

Result<Flip> flip_from(const std::string& name) {
  if (name == "none") return Flip::None;
  if (name == "random") return Flip::Random;
  if (name == "alternating") return Flip::Alternating;
  return fail(ErrorCode::InvalidArgument, "augmentation.flip is '{}': none, random or alternating", name);
}

template <class T>
Result<T> in_range(const json::Value& object, const char* key, T least, T most) {
  TRY(const T value, json::get_or<T>(object, key, T{}));
  if (value < least || value > most)
    return fail(ErrorCode::InvalidArgument, "augmentation.{} is {}: from {} to {}", key, value, least, most);
  return value;
}

}  // namespace

Result<Augmentation> augmentation_from_json(const json::Value& value) {
  if (!value.is_object())
    return fail(ErrorCode::InvalidArgument, "augmentation: expected settings, found {}", json::dump(value));
  const json::Value known = to_json(Augmentation{});
  for (const auto& [key, ignored] : value.items()) {
    if (!known.contains(key)) return fail(ErrorCode::InvalidArgument, "augmentation has no setting '{}'", key);
  }
  Augmentation augmentation;
  TRY(const auto flip, json::get_or<std::string>(value, "flip", "none"));
  TRY(augmentation.flip, flip_from(flip));
  TRY(augmentation.crop_padding, in_range<int>(value, "crop_padding", 0, 64));
  TRY(augmentation.rotation, in_range<double>(value, "rotation", 0, 0.5));
  TRY(augmentation.zoom, in_range<double>(value, "zoom", 0, 0.9));
  TRY(augmentation.brightness, in_range<double>(value, "brightness", 0, 1));
  TRY(augmentation.contrast, in_range<double>(value, "contrast", 0, 1));
  TRY(augmentation.saturation, in_range<double>(value, "saturation", 0, 1));
  TRY(augmentation.cutout, in_range<int>(value, "cutout", 0, 4096));
  return augmentation;
}

}  // namespace imago::data
