// SPDX-License-Identifier: Apache-2.0
#include "evaluate/plots.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "evaluate/colors.hpp"
#include "image/encode.hpp"

namespace imago::evaluate {
namespace {

using image::Anchor;
using image::Color;
using image::Drawing;
using image::Text;

// Okabe and Ito's colours, which people who see colours differently tell apart.
constexpr std::array<Color, 6> kColors{
    {{0, 114, 178}, {213, 94, 0}, {0, 158, 115}, {204, 121, 167}, {230, 159, 0}, {86, 180, 233}}};
constexpr Color kGrid{221, 221, 221};

Text text_at(double x, double y, Anchor anchor, std::string text, double size = 12.0) {
  return {.x = x, .y = y, .text = std::move(text), .anchor = anchor, .size = size};
}

image::Lines line(double x1, double y1, double x2, double y2, Color color) {
  return {.strokes = {{{x1, y1}, {x2, y2}}}, .color = color};
}

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  void take(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  /// So that one point, or a level line, has a place too.
  void widen() {
    if (low < high) return;
    const double by = low == 0.0 ? 1.0 : std::abs(low) * 0.1;
    low -= by;
    high += by;
  }
};

bool is_finite(const std::pair<double, double>& point) {
  return std::isfinite(point.first) && std::isfinite(point.second);
}

/// One panel's box on the picture and the values it spans.
struct Axes {
  double left, top, width, height;
  Range x, y;
  [[nodiscard]] double at_x(double value) const { return left + (value - x.low) / (x.high - x.low) * width; }
  [[nodiscard]] double at_y(double value) const { return top + height - (value - y.low) / (y.high - y.low) * height; }
};

constexpr double kPanelWidth = 440;
constexpr double kPanelHeight = 320;
constexpr std::size_t kPanelsInARow = 4;
/// A line of more points than this is without dots.
constexpr std::size_t kMostDots = 40;

Axes axes_of(const Panel& panel, double left, double top) {
  Axes axes{
      .left = left + 60, .top = top + 40, .width = kPanelWidth - 80, .height = kPanelHeight - 110, .x = {}, .y = {}};
  for (const auto& series : panel.series) {
    for (const auto& point : series.points) {
      if (!is_finite(point)) continue;
      axes.x.take(point.first);
      axes.y.take(point.second);
    }
  }
  axes.x.widen();
  axes.y.widen();
  return axes;
}

void draw_grid(Drawing& drawing, const Axes& axes, const std::string& x_label) {
  const double bottom = axes.top + axes.height;
  const double right = axes.left + axes.width;
  for (const double mark : axis_marks(axes.y.low, axes.y.high, 5)) {
    drawing.shapes.emplace_back(line(axes.left, axes.at_y(mark), right, axes.at_y(mark), kGrid));
    drawing.shapes.emplace_back(text_at(axes.left - 6, axes.at_y(mark) + 4, Anchor::End, fmt::format("{:.6g}", mark)));
  }
  for (const double mark : axis_marks(axes.x.low, axes.x.high, 6)) {
    drawing.shapes.emplace_back(line(axes.at_x(mark), bottom, axes.at_x(mark), bottom + 4, kInk));
    drawing.shapes.emplace_back(text_at(axes.at_x(mark), bottom + 18, Anchor::Middle, fmt::format("{:.6g}", mark)));
  }
  drawing.shapes.emplace_back(line(axes.left, bottom, right, bottom, kInk));
  drawing.shapes.emplace_back(text_at(axes.left + axes.width / 2, bottom + 36, Anchor::Middle, x_label));
}

void draw_series(Drawing& drawing, const Series& series, const Axes& axes, Color color) {
  image::Lines lines{.strokes = {}, .color = color, .width = 2.0};
  image::Dots dots{.centers = {}, .color = color};
  bool pen_down = false;
  for (const auto& point : series.points) {
    if (is_finite(point)) {
      if (!pen_down) lines.strokes.emplace_back();
      lines.strokes.back().emplace_back(axes.at_x(point.first), axes.at_y(point.second));
      if (series.points.size() <= kMostDots) dots.centers.push_back(lines.strokes.back().back());
    }
    pen_down = is_finite(point);
  }
  drawing.shapes.emplace_back(std::move(lines));
  drawing.shapes.emplace_back(std::move(dots));
}

constexpr double kLegendLine = 18;

/// Where each series' name goes, from the legend's upper left corner: as many beside one another as fit.
std::vector<image::Point> legend_places(const Panel& panel) {
  std::vector<image::Point> places;
  double x = 0.0, y = 0.0;
  for (const auto& series : panel.series) {
    const double width = 40 + 7.0 * static_cast<double>(series.name.size());
    if (x > 0.0 && x + width > kPanelWidth - 60) {
      x = 0.0;
      y += kLegendLine;
    }
    places.emplace_back(x, y);
    x += width;
  }
  return places;
}

/// Of the tallest panel: they share the height.
double panel_height(const std::vector<Panel>& panels) {
  double legend = 0.0;
  for (const auto& panel : panels)
    legend = std::max(legend, panel.series.empty() ? 0.0 : legend_places(panel).back().second);
  return kPanelHeight + legend;
}

void draw_panel(Drawing& drawing, const Panel& panel, double left, double top, const std::string& x_label) {
  const Axes axes = axes_of(panel, left, top);
  drawing.shapes.emplace_back(text_at(left + kPanelWidth / 2, top + 22, Anchor::Middle, panel.title, 15.0));
  draw_grid(drawing, axes, panel.x_label.empty() ? x_label : panel.x_label);
  const auto places = legend_places(panel);
  for (std::size_t i = 0; i < panel.series.size(); ++i) {
    const Color color = kColors[i % kColors.size()];
    draw_series(drawing, panel.series[i], axes, color);
    const double x = axes.left + places[i].first;
    const double y = top + kPanelHeight - 16 + places[i].second;
    drawing.shapes.emplace_back(image::Box{.x = x, .y = y - 6, .width = 14, .height = 4, .fill = color, .title = {}});
    drawing.shapes.emplace_back(text_at(x + 20, y, Anchor::Start, panel.series[i].name));
  }
}

/// Cells of more classes than this have no room for a number.
constexpr std::size_t kMostNumberedClasses = 40;

std::string shortened(const std::string& label) {
  if (label.size() <= 14) return label;
  std::size_t end = 13;
  while (end > 0 && (static_cast<unsigned char>(label[end]) & 0xC0U) == 0x80U) --end;
  return label.substr(0, end) + "\xE2\x80\xA6";
}

image::Box cell_box(double x, double y, double side, double share, std::string title) {
  const auto fade = [&](double full) { return static_cast<std::uint8_t>(std::lround(255.0 + (full - 255.0) * share)); };
  return {
      .x = x, .y = y, .width = side, .height = side, .fill = {fade(0), fade(90), fade(160)}, .title = std::move(title)};
}

Text cell_number(double x, double y, double side, std::int64_t count, double share) {
  Text number = text_at(x + side / 2, y + side / 2 + 4, Anchor::Middle, fmt::format("{}", count), 11.0);
  if (share > 0.55) number.color = {255, 255, 255};
  return number;
}

/// Where the confusion matrix's cells are.
struct Grid {
  std::size_t n = 0;
  bool numbered = true;
  double side = 0.0, left = 130.0, top = 60.0;
  [[nodiscard]] double extent() const { return side * static_cast<double>(n); }
};

void draw_row(Drawing& drawing, const Grid& grid, const std::vector<std::string>& labels,
              const std::vector<std::int64_t>& counts, std::size_t truth) {
  const std::int64_t total = std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
  const double y = grid.top + grid.side * static_cast<double>(truth);
  if (grid.numbered)
    drawing.shapes.emplace_back(text_at(grid.left - 6, y + grid.side / 2 + 4, Anchor::End, shortened(labels[truth])));
  for (std::size_t predicted = 0; predicted < grid.n; ++predicted) {
    const std::int64_t count = counts[predicted];
    const double share = total > 0 ? static_cast<double>(count) / static_cast<double>(total) : 0.0;
    const double x = grid.left + grid.side * static_cast<double>(predicted);
    drawing.shapes.emplace_back(
        cell_box(x, y, grid.side, share,
                 fmt::format("{} of {} {} predicted as {}", count, total, labels[truth], labels[predicted])));
    if (grid.numbered) drawing.shapes.emplace_back(cell_number(x, y, grid.side, count, share));
  }
}

}  // namespace

std::vector<double> axis_marks(double low, double high, int count) {
  if (!(low < high)) return {low};
  const double rough = (high - low) / std::max(count, 1);
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough) {
      step = factor * power;
      break;
    }
  }
  std::vector<double> marks;
  const double first = std::ceil(low / step - 1e-9);
  const double last = std::floor(high / step + 1e-9);
  for (double k = first; k <= last; ++k) marks.push_back(k * step + 0.0);
  return marks;
}

std::vector<Panel> curve_panels(const std::vector<Series>& series) {
  std::vector<Panel> panels;
  for (const auto& one : series) {
    if (std::none_of(one.points.begin(), one.points.end(), is_finite)) continue;
    const std::string title = one.name.starts_with("val_") ? one.name.substr(4) : one.name;
    auto panel = std::find_if(panels.begin(), panels.end(), [&](const Panel& known) { return known.title == title; });
    if (panel == panels.end()) panel = panels.insert(panels.end(), Panel{title, {}});
    panel->series.push_back(one);
  }
  return panels;
}

std::vector<Panel> curve_panels(const json::Value& history) {
  std::vector<Series> series;
  if (!history.is_array()) return {};
  for (const char* name : {"loss", "val_loss", "accuracy", "val_accuracy"}) {
    Series one{name, {}};
    for (std::size_t i = 0; i < history.size(); ++i) {
      const json::Value& epoch = history[i];
      if (!epoch.is_object() || !epoch.contains(name) || !epoch[name].is_number()) continue;
      const bool numbered = epoch.contains("epoch") && epoch["epoch"].is_number();
      one.points.emplace_back(numbered ? epoch["epoch"].get<double>() : static_cast<double>(i + 1),
                              epoch[name].get<double>());
    }
    series.push_back(std::move(one));
  }
  return curve_panels(series);
}

Drawing curves_drawing(const std::vector<Panel>& panels, const std::string& x_label) {
  const std::size_t columns = std::clamp<std::size_t>(panels.size(), 1, kPanelsInARow);
  const std::size_t rows = std::max<std::size_t>((panels.size() + columns - 1) / columns, 1);
  const double height = panel_height(panels);
  Drawing drawing{kPanelWidth * static_cast<double>(columns), height * static_cast<double>(rows), {}};
  if (panels.empty())
    drawing.shapes.emplace_back(text_at(drawing.width / 2, drawing.height / 2, Anchor::Middle, "no curves"));
  for (std::size_t i = 0; i < panels.size(); ++i) {
    const std::size_t row = i / columns;
    draw_panel(drawing, panels[i], kPanelWidth * static_cast<double>(i % columns), height * static_cast<double>(row),
               x_label);
  }
  return drawing;
}

std::string draw_curves(const std::vector<Panel>& panels, const std::string& x_label) {
  return image::to_svg(curves_drawing(panels, x_label));
}

Drawing confusion_drawing(const std::vector<std::string>& labels,
                          const std::vector<std::vector<std::int64_t>>& confusion) {
  Grid grid{.n = labels.size(), .numbered = labels.size() <= kMostNumberedClasses};
  EXPECTS(confusion.size() == grid.n, "a row for each label");
  grid.side = grid.numbered ? 44 : std::max(4.0, 900.0 / static_cast<double>(grid.n));
  const double middle = grid.left + grid.extent() / 2;
  Drawing drawing{grid.left + grid.extent() + 30, grid.top + grid.extent() + 130, {}};
  drawing.shapes.emplace_back(text_at(middle, 24, Anchor::Middle, "confusion matrix", 15.0));
  drawing.shapes.emplace_back(text_at(middle, 46, Anchor::Middle, "rows: truth, columns: predicted"));
  for (std::size_t truth = 0; truth < grid.n; ++truth) {
    EXPECTS(confusion[truth].size() == grid.n, "a column for each label");
    draw_row(drawing, grid, labels, confusion[truth], truth);
  }
  for (std::size_t i = 0; grid.numbered && i < grid.n; ++i) {
    Text label = text_at(grid.left + grid.side * (static_cast<double>(i) + 0.5), grid.top + grid.extent() + 12,
                         Anchor::End, shortened(labels[i]));
    label.degrees = -45.0;
    drawing.shapes.emplace_back(std::move(label));
  }
  return drawing;
}

std::string draw_confusion(const std::vector<std::string>& labels,
                           const std::vector<std::vector<std::int64_t>>& confusion) {
  return image::to_svg(confusion_drawing(labels, confusion));
}

Result<std::string> encode_picture(const Drawing& drawing, const std::filesystem::path& name) {
  const std::string extension = name.extension().string();
  if (extension == ".svg") return image::to_svg(drawing);
  if (extension != ".png") return fail(ErrorCode::InvalidArgument, "'{}': pictures are .svg or .png", name.string());
  TRY(const auto pixels, image::rasterize(drawing));
  return image::encode_png(pixels);
}

}  // namespace imago::evaluate
