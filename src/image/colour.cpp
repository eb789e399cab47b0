// SPDX-License-Identifier: Apache-2.0
#include "image/colour.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

namespace imago::image {
namespace {

using Table = std::array<std::uint8_t, 256>;

std::uint8_t clamped(double value) {
  value = std::clamp(value, 0.0, 255.0);
  const int whole = static_cast<int>(value);
  return static_cast<std::uint8_t>(whole + (value - whole >= 0.5 ? 1 : 0));
}

/// ITU-R 601-2 luma, as torchvision's rgb_to_grayscale.
double luma(const std::uint8_t* pixel) { return 0.2989 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2]; }

/// 256 results are computed instead of one a pixel.
template <class Change>
Table table_of(const Change& change) {
  Table table{};
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = change(static_cast<int>(i));
  return table;
}

void look_up(std::span<std::uint8_t> rgb, const Table& table) {
  for (auto& value : rgb) value = table[value];
}

void look_up(std::span<std::uint8_t> rgb, const std::array<Table, 3>& tables) {
  for (std::size_t i = 0; i < rgb.size(); i += 3)
    for (std::size_t c = 0; c < 3; ++c) rgb[i + c] = tables[c][rgb[i + c]];
}

std::array<std::array<std::uint32_t, 256>, 3> histograms(std::span<const std::uint8_t> rgb) {
  std::array<std::array<std::uint32_t, 256>, 3> counts{};
  for (std::size_t i = 0; i < rgb.size(); i += 3)
    for (std::size_t c = 0; c < 3; ++c) ++counts[c][rgb[i + c]];
  return counts;
}

Table identity() {
  return table_of([](int value) { return static_cast<std::uint8_t>(value); });
}

Table stretching(const std::array<std::uint32_t, 256>& counts) {
  int least = 0, most = 255;
  while (least < 255 && counts[static_cast<std::size_t>(least)] == 0) ++least;
  while (most > 0 && counts[static_cast<std::size_t>(most)] == 0) --most;
  if (least >= most) return identity();
  return table_of([&](int value) { return clamped((value - least) * 255.0 / (most - least)); });
}

Table equalizing(const std::array<std::uint32_t, 256>& counts) {
  std::size_t total = 0, last = 0;
  for (const auto count : counts) {
    total += count;
    if (count > 0) last = count;
  }
  const std::size_t step = (total - last) / 255;
  if (step == 0) return identity();
  std::size_t passed = step / 2;
  return table_of([&](int value) {
    const std::size_t level = std::min<std::size_t>(passed / step, 255);
    passed += counts[static_cast<std::size_t>(value)];
    return static_cast<std::uint8_t>(level);
  });
}

/// Hue of the colour circle in [0, 1); 0 for gray.
float hue_of(float red, float green, float blue, float most, float range) {
  if (range == 0.0F) return 0.0F;
  float sixths = 0.0F;
  if (most == red) {
    sixths = (green - blue) / range;
  } else if (most == green) {
    sixths = 2.0F + (blue - red) / range;
  } else {
    sixths = 4.0F + (red - green) / range;
  }
  return sixths < 0.0F ? sixths / 6.0F + 1.0F : sixths / 6.0F;
}

}  // namespace

void adjust_brightness(std::span<std::uint8_t> rgb, double factor) {
  look_up(rgb, table_of([&](int value) { return clamped(value * factor); }));
}

void adjust_contrast(std::span<std::uint8_t> rgb, double factor) {
  double total = 0;
  for (std::size_t i = 0; i < rgb.size(); i += 3) total += luma(&rgb[i]);
  const double mean = total / (static_cast<double>(rgb.size()) / 3);
  look_up(rgb, table_of([&](int value) { return clamped(value * factor + mean * (1 - factor)); }));
}

void adjust_saturation(std::span<std::uint8_t> rgb, double factor) {
  for (std::size_t i = 0; i < rgb.size(); i += 3) {
    const double gray = luma(&rgb[i]);
    for (std::size_t c = 0; c < 3; ++c) rgb[i + c] = clamped(rgb[i + c] * factor + gray * (1 - factor));
  }
}

void adjust_hue(std::span<std::uint8_t> rgb, double shift) {
  for (std::size_t i = 0; i < rgb.size(); i += 3) {
    const float red = rgb[i], green = rgb[i + 1], blue = rgb[i + 2];
    const float most = std::max({red, green, blue});
    const float range = most - std::min({red, green, blue});
    float sixths = 6.0F * (hue_of(red, green, blue, most, range) + static_cast<float>(shift));
    if (sixths < 0.0F) sixths += 6.0F;
    if (sixths >= 6.0F) sixths -= 6.0F;
    // How far each channel is below the largest, by where the hue stands to it: a trapezium round the circle.
    const auto channel = [&](float turn) {
      float place = sixths + turn;
      if (place >= 6.0F) place -= 6.0F;
      return clamped(most - range * std::clamp(std::min(place, 4.0F - place), 0.0F, 1.0F));
    };
    rgb[i] = channel(5.0F);
    rgb[i + 1] = channel(3.0F);
    rgb[i + 2] = channel(1.0F);
  }
}

void adjust_sharpness(std::span<std::uint8_t> rgb, int width, int height, double factor) {
  EXPECTS(rgb.size() == static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3,
          "adjust_sharpness: the span holds width * height * 3");
  const std::vector<std::uint8_t> source(rgb.begin(), rgb.end());
  const std::ptrdiff_t row = std::ptrdiff_t{width} * 3;
  for (int y = 1; y < height - 1; ++y) {
    for (std::ptrdiff_t x = 3; x < row - 3; ++x) {
      const std::uint8_t* at = source.data() + y * row + x;
      int sum = 4 * at[0];
      for (const std::ptrdiff_t up : {-row, std::ptrdiff_t{0}, row}) sum += at[up - 3] + at[up] + at[up + 3];
      const int smooth = (2 * sum + 13) / 26;  // sum / 13 to the nearest
      rgb[static_cast<std::size_t>(y * row + x)] = clamped(at[0] * factor + smooth * (1 - factor));
    }
  }
}

void posterize(std::span<std::uint8_t> rgb, int bits) {
  EXPECTS(bits >= 0 && bits <= 8, "posterize: 0 to 8 bits");
  const auto mask = static_cast<std::uint8_t>(0xff00 >> bits);
  for (auto& value : rgb) value &= mask;
}

void solarize(std::span<std::uint8_t> rgb, double threshold) {
  look_up(rgb,
          table_of([&](int value) { return static_cast<std::uint8_t>(value >= threshold ? 255 - value : value); }));
}

void autocontrast(std::span<std::uint8_t> rgb) {
  const auto counts = histograms(rgb);
  look_up(rgb, {stretching(counts[0]), stretching(counts[1]), stretching(counts[2])});
}

void equalize(std::span<std::uint8_t> rgb) {
  const auto counts = histograms(rgb);
  look_up(rgb, {equalizing(counts[0]), equalizing(counts[1]), equalizing(counts[2])});
}

}  // namespace imago::image
