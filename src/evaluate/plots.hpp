// SPDX-License-Identifier: Apache-2.0
// Pictures of how training went and where a model errs, as SVG or PNG.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "image/drawing.hpp"
#include "json/json.hpp"

namespace imago::evaluate {

struct Series {
  std::string name;
  std::vector<std::pair<double, double>> points;  ///< x rising; what is not finite leaves a gap
};

/// One chart of several lines over the same x.
struct Panel {
  std::string title;
  std::vector<Series> series;
  std::string x_label = {};  ///< empty: that of the whole picture
};

/// The series by what they measure: loss with val_loss, accuracy with val_accuracy, every other alone; those without a
/// finite point left out.
std::vector<Panel> curve_panels(const std::vector<Series>& series);
/// The same from a report's training.history, an array of one object an epoch.
std::vector<Panel> curve_panels(const json::Value& history);

/// The panels side by side, four in a row, `x_label` below each. An empty list gives a picture that says so.
image::Drawing curves_drawing(const std::vector<Panel>& panels, const std::string& x_label);
std::string draw_curves(const std::vector<Panel>& panels, const std::string& x_label);

/// @param confusion [truth][predicted], square, as many rows as labels. Cells are shaded by their share of the row.
image::Drawing confusion_drawing(const std::vector<std::string>& labels,
                                 const std::vector<std::vector<std::int64_t>>& confusion);
std::string draw_confusion(const std::vector<std::string>& labels,
                           const std::vector<std::vector<std::int64_t>>& confusion);

/// The bytes of a file of this name: .svg or .png, InvalidArgument for others.
Result<std::string> encode_picture(const image::Drawing& drawing, const std::filesystem::path& name);

/// Values at which an axis from `low` to `high` gets marks: multiples of 1, 2 or 5 times a power of ten, about `count`
/// of them. One value when low equals high.
std::vector<double> axis_marks(double low, double high, int count);

}  // namespace imago::evaluate
