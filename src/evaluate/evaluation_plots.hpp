// SPDX-License-Identifier: Apache-2.0
// What a report draws beside the confusion matrix and the curves of training.
#pragma once

#include <vector>

#include "evaluate/metrics.hpp"
#include "evaluate/plots.hpp"
#include "evaluate/ranking.hpp"
#include "evaluate/selective.hpp"

namespace imago::evaluate {

/// More lines than this cannot be told apart: of more classes those with the smallest area are drawn.
inline constexpr std::size_t kMostClassesDrawn = 6;

/// Two panels, ROC and precision-recall, a line a class.
std::vector<Panel> ranking_panels(const std::vector<ClassCurves>& curves, const std::vector<ClassMetrics>& classes);

/// Accuracy of what is answered by the share that is answered.
Panel coverage_panel(const Coverage& coverage);

/// A bar a bin as high as its share of right answers, and what is missing to (or beyond) its mean confidence; below it
/// how many images each bin has.
image::Drawing reliability_drawing(const Calibration& calibration);

}  // namespace imago::evaluate
