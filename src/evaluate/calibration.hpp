// SPDX-License-Identifier: Apache-2.0
// Confidence that means what it says.
#pragma once

#include <span>

#include "base/error.hpp"
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

}  // namespace imago::evaluate
