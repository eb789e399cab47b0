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

/// What chance chose for one image. All is drawn in a fixed order, used or not, so that switching one change on or off
/// does not alter the others.
struct Draw {
  bool mirror = false;
  int dx = 0, dy = 0;  // of the crop, in [-padding, padding]
  double angle = 0;    // radians
  double scale = 1;
  double brightness = 1, contrast = 1, saturation = 1;
  double cut_x = 0, cut_y = 0;  // centre of the cutout, share of the sides
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
  return chosen;
}

/// numpy's "reflect": ... 2 1 0 1 2 ... n-2 n-1 n-2 ...; any distance outside.
int reflect(int i, int n) {
  if (n == 1) return 0;
  const int period = 2 * (n - 1);
  i %= period;
  if (i < 0) i += period;
  return i < n ? i : period - i;
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
    const std::uint8_t* source = image + reflect(y + chosen.dy, height) * row_bytes;
    if (chosen.mirror) {
      mirror_row(source, width, mirrored.data());
      source = mirrored.data();
    }
    std::memcpy(out + inside_begin * 3, source + (inside_begin + dx) * 3,
                static_cast<std::size_t>(inside_end - inside_begin) * 3);
    for (int x = 0; x < inside_begin; ++x) std::memcpy(out + x * 3, source + reflect(x + dx, width) * 3, 3);
    for (int x = inside_end; x < width; ++x) std::memcpy(out + x * 3, source + reflect(x + dx, width) * 3, 3);
  }
}

/// Rotation and zoom about the centre together with shift and mirror: each pixel of the result is looked up where it
/// came from, bilinearly, with a reflected border.
void warp(const std::uint8_t* image, int width, int height, const Draw& chosen, std::uint8_t* out) {
  const double centre_x = (width - 1) / 2.0;
  const double centre_y = (height - 1) / 2.0;
  const double cosine = std::cos(chosen.angle) / chosen.scale;
  const double sine = std::sin(chosen.angle) / chosen.scale;
  const auto pixel = [&](int x, int y) {
    return image + (std::ptrdiff_t{reflect(y, height)} * width + reflect(x, width)) * 3;
  };
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x, out += 3) {
      const double across = (chosen.mirror ? width - 1 - x : x) - centre_x;
      const double down = y - centre_y;
      const double from_x = cosine * across + sine * down + centre_x + chosen.dx;
      const double from_y = cosine * down - sine * across + centre_y + chosen.dy;
      const double left = std::floor(from_x);
      const double top = std::floor(from_y);
      const double right_share = from_x - left;
      const double bottom_share = from_y - top;
      const int x0 = static_cast<int>(left);
      const int y0 = static_cast<int>(top);
      const std::array<const std::uint8_t*, 4> around{pixel(x0, y0), pixel(x0 + 1, y0), pixel(x0, y0 + 1),
                                                      pixel(x0 + 1, y0 + 1)};
      for (int c = 0; c < 3; ++c) {
        const double upper = around[0][c] + (around[1][c] - around[0][c]) * right_share;
        const double lower = around[2][c] + (around[3][c] - around[2][c]) * right_share;
        out[c] = static_cast<std::uint8_t>(std::lround(upper + (lower - upper) * bottom_share));
      }
    }
  }
}

std::uint8_t clamped(double value) { return static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0, 255.0))); }

/// ITU-R 601-2 luma, as torchvision's rgb_to_grayscale.
double luma(const std::uint8_t* pixel) { return 0.2989 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2]; }

/// Each step blends the image with another: black, its mean gray, its own gray (torchvision's adjust_brightness,
/// adjust_contrast and adjust_saturation, in this order).
void jitter(std::span<std::uint8_t> out, const Augmentation& augmentation, const Draw& chosen) {
  if (augmentation.brightness > 0)
    for (auto& value : out) value = clamped(value * chosen.brightness);
  if (augmentation.contrast > 0) {
    double total = 0;
    for (std::size_t i = 0; i < out.size(); i += 3) total += luma(&out[i]);
    const double mean = total / (static_cast<double>(out.size()) / 3);
    for (auto& value : out) value = clamped(value * chosen.contrast + mean * (1 - chosen.contrast));
  }
  if (augmentation.saturation > 0) {
    for (std::size_t i = 0; i < out.size(); i += 3) {
      const double gray = luma(&out[i]);
      for (std::size_t c = 0; c < 3; ++c)
        out[i + c] = clamped(out[i + c] * chosen.saturation + gray * (1 - chosen.saturation));
    }
  }
}

void cut_out(std::span<std::uint8_t> out, int width, int height, int side, const Draw& chosen) {
  std::array<std::uint64_t, 3> total{};
  for (std::size_t i = 0; i < out.size(); ++i) total[i % 3] += out[i];
  const std::uint64_t pixels = out.size() / 3;
  std::array<std::uint8_t, 3> mean{};
  for (std::size_t c = 0; c < 3; ++c) mean[c] = static_cast<std::uint8_t>((total[c] + pixels / 2) / pixels);
  const int left = static_cast<int>(chosen.cut_x * width) - side / 2;
  const int top = static_cast<int>(chosen.cut_y * height) - side / 2;
  for (int y = std::max(top, 0); y < std::min(top + side, height); ++y)
    for (int x = std::max(left, 0); x < std::min(left + side, width); ++x)
      std::memcpy(
          &out[(static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)) * 3],
          mean.data(), 3);
}

std::string_view to_string(Flip flip) {
  switch (flip) {
    case Flip::None: return "none";
    case Flip::Random: return "random";
    case Flip::Alternating: return "alternating";
  }
  return "none";
}

Result<Flip> flip_from(const std::string& name) {
  for (const Flip flip : {Flip::None, Flip::Random, Flip::Alternating})
    if (name == to_string(flip)) return flip;
  return fail(ErrorCode::InvalidArgument, "augmentation.flip is '{}': none, random or alternating", name);
}

template <class T>
Result<T> in_range(const json::Value& value, std::string_view key, T least, T most) {
  TRY(const T number, json::get_or<T>(value, key, T{}));
  if (!(number >= least && number <= most))
    return fail(ErrorCode::InvalidArgument, "augmentation.{} is {}: from {} to {}", key, number, least, most);
  return number;
}

}  // namespace

json::Value to_json(const Augmentation& augmentation) {
  return json::Value{{"flip", to_string(augmentation.flip)},  {"crop_padding", augmentation.crop_padding},
                     {"rotation", augmentation.rotation},     {"zoom", augmentation.zoom},
                     {"brightness", augmentation.brightness}, {"contrast", augmentation.contrast},
                     {"saturation", augmentation.saturation}, {"cutout", augmentation.cutout}};
}

Result<Augmentation> augmentation_from_json(const json::Value& value) {
  if (!value.is_object())
    return fail(ErrorCode::InvalidArgument, "augmentation: expected settings, found {}", json::dump(value));
  const json::Value known = to_json(Augmentation{});
  for (const auto& [key, ignored] : value.items())
    if (!known.contains(key)) return fail(ErrorCode::InvalidArgument, "augmentation has no setting '{}'", key);
  Augmentation augmentation;
  TRY(const auto flip, json::get_or<std::string>(value, "flip", "none"));
  TRY(augmentation.flip, flip_from(flip));
  TRY(augmentation.crop_padding, in_range<int>(value, "crop_padding", 0, 256));
  TRY(augmentation.rotation, in_range<double>(value, "rotation", 0, 0.5));
  TRY(augmentation.zoom, in_range<double>(value, "zoom", 0, 0.9));
  TRY(augmentation.brightness, in_range<double>(value, "brightness", 0, 1));
  TRY(augmentation.contrast, in_range<double>(value, "contrast", 0, 1));
  TRY(augmentation.saturation, in_range<double>(value, "saturation", 0, 1));
  TRY(augmentation.cutout, in_range<int>(value, "cutout", 0, 4096));
  return augmentation;
}

void augment(std::span<const std::uint8_t> image, int width, int height, const Augmentation& augmentation,
             std::uint64_t seed, int epoch, std::size_t index, std::span<std::uint8_t> out) {
  const auto bytes = static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3;
  EXPECTS(image.size() == bytes && out.size() == bytes && bytes > 0, "augment: both spans hold width * height * 3");
  const Draw chosen = draw(augmentation, seed, epoch, index);
  if (augmentation.rotation > 0 || augmentation.zoom > 0) {
    warp(image.data(), width, height, chosen, out.data());
  } else {
    crop(image.data(), width, height, chosen, out.data());
  }
  jitter(out, augmentation, chosen);
  if (augmentation.cutout > 0) cut_out(out, width, height, augmentation.cutout, chosen);
}

}  // namespace imago::data
