// SPDX-License-Identifier: Apache-2.0
// Confidence that means what it says.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "json/json.hpp"
#include "model/classifier.hpp"

namespace imago::evaluate {

/// Temperatures outside say more about a small split than about the model.
inline constexpr double kLeastTemperature = 0.05;
inline constexpr double kMostTemperature = 20.0;

/// The temperature T at which softmax(logits / T) has the least mean log loss: above 1 for a network that is surer than
/// it is right, below 1 for one trained with label smoothing. The order of classes, and so the accuracy, stays.
///
/// The loss is convex in 1 / T, so the minimum is where its slope changes sign; found by bisection to 1e-9. Where that
/// is outside [kLeastTemperature, kMostTemperature], as when every image is right and more confidence is always better,
/// there is nothing to learn and the result is 1.
///
/// @param logits of images that were not trained on. @param labels [logits.n], each in [0, classes).
/// @error InvalidArgument when n is 0, sizes differ, a label is out of range or a logit is not finite.
/// Source: Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural Networks", ICML 2017, section 4.2.
Result<double> fit_temperature(const model::Logits& logits, std::span<const int> labels);

/// The images whose confidence lies in (low, high].
struct ReliabilityBin {
  double low = 0.0, high = 0.0;
  std::int64_t n = 0;
  double confidence = 0.0;  ///< their mean; 0 when there are none
  double accuracy = 0.0;    ///< share that is right; 0 when there are none
};

struct Calibration {
  double expected_error = 0.0;  ///< ECE: mean of |accuracy - confidence| over the bins, each by its number of images
  double largest_error = 0.0;   ///< MCE: the largest of a bin with images
  double mean_confidence = 0.0;
  std::vector<ReliabilityBin> bins{};
};

inline constexpr int kReliabilityBins = 15;

/// How far confidence is from truth, in bins of equal width over (0, 1], closed on the right. 0 means "right as often
/// as it claims". The value depends on the number of bins and is biased upwards for few images: compare only equal bins
/// and similar numbers.
///
/// @param confidence each in [0, 1]; exactly 0 goes to the first bin. @param right the same size, not 0: whether the
/// answer was the true class. @param bins 1 or more.
/// Source: Guo, Pleiss, Sun, Weinberger, ICML 2017, section 2 (equations 3 and 5).
Calibration measure_calibration(std::span<const double> confidence, const std::vector<bool>& right,
                                int bins = kReliabilityBins);

json::Value to_json(const Calibration& calibration);
Result<Calibration> calibration_from_json(const json::Value& value);

}  // namespace imago::evaluate
