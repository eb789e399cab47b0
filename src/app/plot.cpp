// SPDX-License-Identifier: Apache-2.0
#include "app/plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace imago::app {
namespace {

constexpr std::array<const char*, 9> kBlocks{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

std::vector<double> resampled(const std::vector<double>& values, std::size_t columns) {
  if (values.size() <= columns) return values;
  std::vector<double> means;
  for (std::size_t column = 0; column < columns; ++column) {
    const std::size_t first = column * values.size() / columns;
    const std::size_t last = (column + 1) * values.size() / columns;
    double sum = 0.0;
    int count = 0;
    for (std::size_t i = first; i < last; ++i) {
      if (!std::isfinite(values[i])) continue;
      sum += values[i];
      ++count;
    }
    means.push_back(count > 0 ? sum / count : std::numeric_limits<double>::quiet_NaN());
  }
  return means;
}

}  // namespace

std::string plot_blocks(const std::string& name, const std::vector<double>& values, int rows, int columns) {
  const auto shown = resampled(values, static_cast<std::size_t>(columns));
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (const double value : shown) {
    if (!std::isfinite(value)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  if (!(low <= high)) return {};

  // Heights in eighths of a block, at least one: the smallest value is to be seen too.
  std::vector<int> heights;
  const int full = rows * 8;
  for (const double value : shown) {
    const double share = high > low ? (value - low) / (high - low) : 0.5;
    heights.push_back(std::isfinite(value) ? 1 + static_cast<int>(std::lround(share * (full - 1))) : 0);
  }
  // A narrow curve is widened, so that three epochs are more than three characters.
  const int width = std::clamp(columns / static_cast<int>(shown.size()), 1, 4);
  std::string text = fmt::format("{}\n", name);
  for (int row = rows - 1; row >= 0; --row) {
    const std::string label = row == rows - 1 ? fmt::format("{:.4g}", high)
                              : row == 0      ? fmt::format("{:.4g}", low)
                                              : "";
    text += fmt::format("{:>10} │", label);
    for (const int height : heights) {
      const char* block = kBlocks.at(static_cast<std::size_t>(std::clamp(height - row * 8, 0, 8)));
      for (int i = 0; i < width; ++i) text += block;
    }
    text.erase(text.find_last_not_of(' ') + 1);
    text += "\n";
  }
  return text;
}

}  // namespace imago::app
