// SPDX-License-Identifier: Apache-2.0
// A picture made of lines, boxes, dots and words, as SVG that any browser shows without scripts, or as pixels.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "image/image.hpp"

namespace imago::image {

struct Color {
  std::uint8_t r = 0, g = 0, b = 0;
};

/// Lengths are in pixels from the upper left corner.
using Point = std::pair<double, double>;

struct Lines {
  std::vector<std::vector<Point>> strokes;  ///< one without a second point is not seen
  Color color;
  double width = 1.0;
};

struct Box {
  double x = 0.0, y = 0.0, width = 0.0, height = 0.0;
  Color fill;
  std::string title;  ///< of SVG only: what is shown when the mouse rests on it. A box with one has a thin border.
};

struct Dots {
  std::vector<Point> centers;
  Color color;
  double radius = 2.5;
};

enum class Anchor { Start, Middle, End };

/// One line of UTF-8. Pixels have '?' for what is not ASCII.
struct Text {
  double x = 0.0, y = 0.0;  ///< of the baseline, at the anchor
  std::string text;
  Anchor anchor = Anchor::Start;
  double size = 12.0;
  Color color{34, 34, 34};
  double degrees = 0.0;  ///< clockwise, around the anchor
};

/// On white; later shapes cover earlier ones.
struct Drawing {
  double width = 0.0, height = 0.0;
  std::vector<std::variant<Lines, Box, Dots, Text>> shapes;
};

std::string to_svg(const Drawing& drawing);
/// @param scale pixels to the unit. ResourceExhausted when it would have more than 64 million.
Result<Image> rasterize(const Drawing& drawing, double scale = 2.0);

}  // namespace imago::image
