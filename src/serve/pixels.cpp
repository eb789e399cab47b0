// SPDX-License-Identifier: Apache-2.0
#include "serve/pixels.hpp"

#include <algorithm>
#include <span>

#include "json/json.hpp"

namespace imago::serve {
namespace {

constexpr std::size_t kMaxSide = 4096;
constexpr std::size_t kMaxNumbers = std::size_t{3} * 4'000'000;
constexpr std::size_t kSeedSide = 32;  // S2's clients send 32x32 whatever the model

struct Geometry {
  std::size_t height, width;
  Layout layout;
};

Result<Geometry> flat_geometry(std::size_t count, Layout layout, const image::Preprocess& preprocess) {
  const auto width = static_cast<std::size_t>(preprocess.width);
  const auto height = static_cast<std::size_t>(preprocess.height);
  if (layout == Layout::Auto) layout = Layout::Hwc;
  if (count == width * height * 3) return Geometry{height, width, layout};
  if (count == kSeedSide * kSeedSide * 3) return Geometry{kSeedSide, kSeedSide, layout};
  return fail(ErrorCode::InvalidArgument, "'image' has {} numbers, expected {} ({} x {} x 3)", count,
              width * height * 3, height, width);
}

Result<Geometry> nested_geometry(std::span<const std::size_t> shape, Layout layout,
                                 const image::Preprocess& preprocess) {
  if (shape.size() == 4 && shape[0] == 1) shape = shape.subspan(1);
  const bool hwc = shape.size() == 3 && shape[2] == 3;
  const bool chw = shape.size() == 3 && shape[0] == 3;
  if (layout == Layout::Auto) layout = hwc || !chw ? Layout::Hwc : Layout::Chw;
  if (layout == Layout::Hwc ? !hwc : !chw) {
    return fail(ErrorCode::InvalidArgument, "'image' has shape [{}], expected [{}, {}, 3] or [3, {}, {}]",
                fmt::join(shape, ", "), preprocess.height, preprocess.width, preprocess.height, preprocess.width);
  }
  const Geometry geometry =
      hwc && layout == Layout::Hwc ? Geometry{shape[0], shape[1], layout} : Geometry{shape[1], shape[2], layout};
  if (geometry.width == 0 || geometry.height == 0 || std::max(geometry.width, geometry.height) > kMaxSide) {
    return fail(ErrorCode::InvalidArgument, "'image' is {} x {}: sides from 1 to {} are taken", geometry.height,
                geometry.width, kMaxSide);
  }
  return geometry;
}

Result<float> scale_for(std::span<const float> numbers, Range range) {
  const auto [low, high] = std::ranges::minmax(numbers);
  if (range == Range::Auto) range = high <= 1.0F ? Range::Unit : Range::Byte;
  const float top = range == Range::Unit ? 1.0F : 255.0F;
  if (low < 0.0F || high > top) {
    return fail(ErrorCode::InvalidArgument, "'image' holds {}, outside of 0 to {}: send pixels, not normalised values",
                low < 0.0F ? low : high, top);
  }
  return 255.0F / top;
}

/// To the nearest; exact, because a double holds a float and a half. Unlike a call of lround it is computed for many at
/// once.
std::uint8_t to_byte(float value, float scale) {
  constexpr double kHalf = 0.5;
  return static_cast<std::uint8_t>(static_cast<double>(value * scale) + kHalf);
}

}  // namespace

Result<Layout> layout_from(std::string_view text) {
  if (text.empty() || text == "auto") return Layout::Auto;
  if (text == "hwc" || text == "HWC") return Layout::Hwc;
  if (text == "chw" || text == "CHW") return Layout::Chw;
  return fail(ErrorCode::InvalidArgument, "'layout' is '{}': hwc, chw and auto are known", text);
}

Result<Range> range_from(std::string_view text) {
  if (text.empty() || text == "auto") return Range::Auto;
  if (text == "0-1" || text == "unit" || text == "1") return Range::Unit;
  if (text == "0-255" || text == "byte" || text == "255") return Range::Byte;
  return fail(ErrorCode::InvalidArgument, "'range' is '{}': 0-1, 0-255 and auto are known", text);
}

Result<image::Image> image_from_numbers(std::string_view text, Layout layout, Range range,
                                        const image::Preprocess& preprocess) {
  TRY(const auto array, json::parse_numbers(text, kMaxNumbers));
  const auto& numbers = array.numbers;
  TRY(const Geometry geometry, array.shape.size() == 1 ? flat_geometry(numbers.size(), layout, preprocess)
                                                       : nested_geometry(array.shape, layout, preprocess));
  TRY(const float scale, scale_for(numbers, range));

  image::Image image{static_cast<int>(geometry.width), static_cast<int>(geometry.height), {}};
  image.rgb.resize(numbers.size());
  const std::size_t pixels = geometry.width * geometry.height;
  if (geometry.layout == Layout::Hwc) {
    for (std::size_t i = 0; i < numbers.size(); ++i) image.rgb[i] = to_byte(numbers[i], scale);
  } else {
    for (std::size_t i = 0; i < pixels; ++i) {
      for (std::size_t c = 0; c < 3; ++c) image.rgb[i * 3 + c] = to_byte(numbers[c * pixels + i], scale);
    }
  }
  return image;
}

}  // namespace imago::serve
