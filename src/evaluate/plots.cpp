// SPDX-License-Identifier: Apache-2.0
#include "evaluate/plots.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace imago::evaluate {
namespace {

// Okabe and Ito's colours, which people who see colours differently tell apart.
constexpr std::array<std::string_view, 6> kColors{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"};
constexpr std::string_view kInk = "#222";
constexpr std::string_view kGrid = "#ddd";

std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '<': safe += "&lt;"; break;
      case '>': safe += "&gt;"; break;
      case '&': safe += "&amp;"; break;
      case '"': safe += "&quot;"; break;
      default: safe += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return safe;
}

std::string open_svg(double width, double height) {
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} {1:.0f}\" "
      "font-family=\"sans-serif\" font-size=\"12\" fill=\"{2}\">\n<rect width=\"100%\" height=\"100%\" "
      "fill=\"#fff\"/>\n",
      width, height, kInk);
}

std::string text_at(double x, double y, std::string_view anchor, std::string_view text, std::string_view more = "") {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\"{}{}>{}</text>\n", x, y, anchor,
                     more.empty() ? "" : " ", more, escaped(text));
}

std::string line(double x1, double y1, double x2, double y2, std::string_view color) {
  return fmt::format("<path d=\"M{:.1f} {:.1f}L{:.1f} {:.1f}\" stroke=\"{}\" fill=\"none\"/>\n", x1, y1, x2, y2, color);
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

Axes axes_of(const Panel& panel, double left) {
  Axes axes{.left = left + 60, .top = 40, .width = kPanelWidth - 80, .height = kPanelHeight - 110, .x = {}, .y = {}};
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

std::string draw_grid(const Axes& axes, const std::string& x_label) {
  std::string svg;
  for (const double mark : axis_marks(axes.y.low, axes.y.high, 5)) {
    svg += line(axes.left, axes.at_y(mark), axes.left + axes.width, axes.at_y(mark), kGrid);
    svg += text_at(axes.left - 6, axes.at_y(mark) + 4, "end", fmt::format("{:g}", mark));
  }
  for (const double mark : axis_marks(axes.x.low, axes.x.high, 6)) {
    svg += line(axes.at_x(mark), axes.top + axes.height, axes.at_x(mark), axes.top + axes.height + 4, kInk);
    svg += text_at(axes.at_x(mark), axes.top + axes.height + 18, "middle", fmt::format("{:g}", mark));
  }
  svg += line(axes.left, axes.top + axes.height, axes.left + axes.width, axes.top + axes.height, kInk);
  svg += text_at(axes.left + axes.width / 2, axes.top + axes.height + 36, "middle", x_label);
  return svg;
}

std::string draw_series(const Series& series, const Axes& axes, std::string_view color) {
  std::string path, dots;
  bool pen_down = false;
  for (const auto& point : series.points) {
    if (!is_finite(point)) {
      pen_down = false;
      continue;
    }
    const double x = axes.at_x(point.first);
    const double y = axes.at_y(point.second);
    path += fmt::format("{}{:.1f} {:.1f}", pen_down ? 'L' : 'M', x, y);
    pen_down = true;
    if (series.points.size() <= 40) dots += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2.5\"/>", x, y);
  }
  return fmt::format(
      "<path d=\"{}\" stroke=\"{}\" stroke-width=\"2\" stroke-linejoin=\"round\" fill=\"none\"/>\n<g "
      "fill=\"{}\">{}</g>\n",
      path, color, color, dots);
}

std::string draw_panel(const Panel& panel, double left, const std::string& x_label) {
  const Axes axes = axes_of(panel, left);
  std::string svg = text_at(left + kPanelWidth / 2, 22, "middle", panel.title, "font-size=\"15\"");
  svg += draw_grid(axes, x_label);
  double legend = axes.left;
  for (std::size_t i = 0; i < panel.series.size(); ++i) {
    const std::string_view color = kColors[i % kColors.size()];
    svg += draw_series(panel.series[i], axes, color);
    const double y = kPanelHeight - 16;
    svg +=
        fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"14\" height=\"4\" fill=\"{}\"/>\n", legend, y - 6, color);
    svg += text_at(legend + 20, y, "start", panel.series[i].name);
    legend += 40 + 7.0 * static_cast<double>(panel.series[i].name.size());
  }
  return svg;
}

/// Cells of more classes than this have no room for a number.
constexpr std::size_t kMostNumberedClasses = 40;

std::string draw_cell(double x, double y, double side, std::int64_t count, std::int64_t row_total, bool numbered,
                      std::string_view title) {
  const double share = row_total > 0 ? static_cast<double>(count) / static_cast<double>(row_total) : 0.0;
  const auto fade = [&](double full) { return static_cast<int>(std::lround(255.0 + (full - 255.0) * share)); };
  std::string svg = fmt::format(
      "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"rgb({},{},{})\" stroke=\"{}\" "
      "stroke-width=\"0.5\"><title>{}</title></rect>\n",
      x, y, side, side, fade(0), fade(90), fade(160), kGrid, escaped(title));
  if (numbered)
    svg += text_at(x + side / 2, y + side / 2 + 4, "middle", fmt::format("{}", count),
                   share > 0.55 ? "fill=\"#fff\" font-size=\"11\"" : "font-size=\"11\"");
  return svg;
}

std::string shortened(const std::string& label) {
  if (label.size() <= 14) return label;
  std::size_t end = 13;
  while (end > 0 && (static_cast<unsigned char>(label[end]) & 0xC0U) == 0x80U) --end;
  return label.substr(0, end) + "\xE2\x80\xA6";
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

std::string draw_curves(const std::vector<Panel>& panels, const std::string& x_label) {
  const double width = kPanelWidth * static_cast<double>(std::max<std::size_t>(panels.size(), 1));
  std::string svg = open_svg(width, kPanelHeight);
  if (panels.empty()) svg += text_at(width / 2, kPanelHeight / 2, "middle", "no curves");
  for (std::size_t i = 0; i < panels.size(); ++i)
    svg += draw_panel(panels[i], kPanelWidth * static_cast<double>(i), x_label);
  return svg + "</svg>\n";
}

std::string draw_confusion(const std::vector<std::string>& labels,
                           const std::vector<std::vector<std::int64_t>>& confusion) {
  const std::size_t n = labels.size();
  EXPECTS(confusion.size() == n, "a row for each label");
  const bool numbered = n <= kMostNumberedClasses;
  const double side = numbered ? 44 : std::max(4.0, 900.0 / static_cast<double>(n));
  const double left = 130, top = 60;
  const double extent = side * static_cast<double>(n);
  std::string svg = open_svg(left + extent + 30, top + extent + 130);
  svg += text_at(left + extent / 2, 24, "middle", "confusion matrix", "font-size=\"15\"");
  svg += text_at(left + extent / 2, 46, "middle", "rows: truth, columns: predicted");
  for (std::size_t truth = 0; truth < n; ++truth) {
    EXPECTS(confusion[truth].size() == n, "a column for each label");
    std::int64_t total = 0;
    for (const auto count : confusion[truth]) total += count;
    const double y = top + side * static_cast<double>(truth);
    if (numbered) svg += text_at(left - 6, y + side / 2 + 4, "end", shortened(labels[truth]));
    for (std::size_t predicted = 0; predicted < n; ++predicted) {
      const auto count = confusion[truth][predicted];
      svg += draw_cell(left + side * static_cast<double>(predicted), y, side, count, total, numbered,
                       fmt::format("{} of {} {} predicted as {}", count, total, labels[truth], labels[predicted]));
    }
  }
  for (std::size_t i = 0; numbered && i < n; ++i) {
    const double x = left + side * (static_cast<double>(i) + 0.5);
    const double y = top + extent + 12;
    svg += text_at(x, y, "end", shortened(labels[i]), fmt::format("transform=\"rotate(-45 {:.1f} {:.1f})\"", x, y));
  }
  return svg + "</svg>\n";
}

}  // namespace imago::evaluate
