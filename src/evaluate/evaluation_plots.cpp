// SPDX-License-Identifier: Apache-2.0
#include "evaluate/evaluation_plots.hpp"

#include <algorithm>
#include <numeric>

#include "evaluate/colors.hpp"

namespace imago::evaluate {
namespace {

using image::Anchor;
using image::Box;
using image::Color;
using image::Drawing;
using image::Text;

constexpr Color kRight{0, 114, 178};
constexpr Color kOverconfident{213, 94, 0};
constexpr Color kUnderconfident{0, 158, 115};
constexpr double kLeft = 60, kTop = 60, kSide = 320, kCounts = 70, kGap = 40;

void write(Drawing& drawing, double x, double y, Anchor anchor, std::string text, double size = 12.0) {
  drawing.shapes.emplace_back(Text{.x = x, .y = y, .text = std::move(text), .anchor = anchor, .size = size});
}

double at_x(double share) { return kLeft + kSide * share; }
double at_y(double share) { return kTop + kSide * (1.0 - share); }

void draw_bin(Drawing& drawing, const ReliabilityBin& bin, std::int64_t most) {
  if (bin.n == 0) return;
  const double x = at_x(bin.low) + 1, width = kSide * (bin.high - bin.low) - 2;
  const auto title = fmt::format("{:.3f} to {:.3f}: {} images, confidence {:.3f}, right {:.3f}", bin.low, bin.high,
                                 bin.n, bin.confidence, bin.accuracy);
  const double low = std::min(bin.accuracy, bin.confidence), high = std::max(bin.accuracy, bin.confidence);
  drawing.shapes.emplace_back(Box{x, at_y(bin.accuracy), width, kSide * bin.accuracy, kRight, title});
  drawing.shapes.emplace_back(Box{x, at_y(high), width, kSide * (high - low),
                                  bin.confidence > bin.accuracy ? kOverconfident : kUnderconfident, title});
  const double height = kCounts * static_cast<double>(bin.n) / static_cast<double>(most);
  drawing.shapes.emplace_back(
      Box{x, kTop + kSide + kGap + kCounts - height, width, height, kRight, fmt::format("{} images", bin.n)});
}

void draw_axes(Drawing& drawing) {
  for (const double mark : {0.0, 0.25, 0.5, 0.75, 1.0}) {
    write(drawing, kLeft - 6, at_y(mark) + 4, Anchor::End, fmt::format("{:g}", mark));
    write(drawing, at_x(mark), kTop + kSide + kGap + kCounts + 18, Anchor::Middle, fmt::format("{:g}", mark));
  }
  drawing.shapes.emplace_back(image::Lines{.strokes = {{{at_x(0), at_y(1)}, {at_x(0), at_y(0)}, {at_x(1), at_y(0)}},
                                                       {{at_x(0), at_y(0)}, {at_x(1), at_y(1)}}},
                                           .color = kInk});
  write(drawing, at_x(0.5), kTop + kSide + kGap + kCounts + 36, Anchor::Middle, "confidence");
  write(drawing, kLeft, kTop + kSide + kGap - 8, Anchor::Start, "images", 11.0);
}

/// Indices of the classes with the smallest area under precision and recall, in class order.
std::vector<std::size_t> hardest(const std::vector<ClassMetrics>& classes) {
  std::vector<std::size_t> order(classes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return classes[i].average_precision.value_or(2.0); });
  order.resize(std::min(order.size(), kMostClassesDrawn));
  std::ranges::sort(order);
  return order;
}

std::string titled(const char* name, std::size_t drawn, std::size_t all) {
  return drawn == all ? name : fmt::format("{} of the {} hardest classes", name, drawn);
}

}  // namespace

std::vector<Panel> ranking_panels(const std::vector<ClassCurves>& curves, const std::vector<ClassMetrics>& classes) {
  EXPECTS(curves.size() == classes.size(), "curves of each class");
  const auto drawn = hardest(classes);
  Panel roc{titled("ROC", drawn.size(), classes.size()), {}, "false positive rate"};
  Panel precision{titled("precision", drawn.size(), classes.size()), {}, "recall"};
  for (const std::size_t i : drawn) {
    if (!curves[i].roc.empty()) roc.series.push_back({curves[i].label, curves[i].roc});
    if (!curves[i].precision_recall.empty()) precision.series.push_back({curves[i].label, curves[i].precision_recall});
  }
  return {std::move(roc), std::move(precision)};
}

Panel coverage_panel(const Coverage& coverage) {
  Series accuracy{"accuracy", {}};
  for (const CoveragePoint& point : coverage.curve)
    accuracy.points.emplace_back(static_cast<double>(point.answered) / static_cast<double>(coverage.n),
                                 point.accuracy());
  return {"accuracy of what is answered", {std::move(accuracy)}, "share answered"};
}

Drawing reliability_drawing(const Calibration& calibration) {
  Drawing drawing{kLeft + kSide + 40, kTop + kSide + kGap + kCounts + 50, {}};
  write(drawing, at_x(0.5), 24, Anchor::Middle, "reliability", 15.0);
  write(drawing, at_x(0.5), 44, Anchor::Middle,
        fmt::format("share that is right; ECE {:.4f}", calibration.expected_error));
  std::int64_t most = 1;
  for (const ReliabilityBin& bin : calibration.bins) most = std::max(most, bin.n);
  for (const ReliabilityBin& bin : calibration.bins) draw_bin(drawing, bin, most);
  draw_axes(drawing);
  const double y = kTop + 14;
  drawing.shapes.emplace_back(Box{kLeft + 12, y - 9, 10, 10, kOverconfident, ""});
  write(drawing, kLeft + 28, y, Anchor::Start, "surer than right", 11.0);
  drawing.shapes.emplace_back(Box{kLeft + 12, y + 9, 10, 10, kUnderconfident, ""});
  write(drawing, kLeft + 28, y + 18, Anchor::Start, "righter than sure", 11.0);
  return drawing;
}

}  // namespace imago::evaluate
