// SPDX-License-Identifier: Apache-2.0
#include "evaluate/calibration.hpp"

#include <algorithm>
#include <cmath>

namespace imago::evaluate {
namespace {

Result<void> check(const model::Logits& logits, std::span<const int> labels) {
  const auto n = static_cast<std::size_t>(std::max(0, logits.n));
  if (n == 0 || labels.size() != n || logits.data.size() != n * static_cast<std::size_t>(logits.classes))
    return fail(ErrorCode::InvalidArgument, "{} logits [{}, {}] and {} labels do not make a split", logits.data.size(),
                logits.n, logits.classes, labels.size());
  for (const int label : labels) {
    if (label < 0 || label >= logits.classes)
      return fail(ErrorCode::InvalidArgument, "label {}, but {} classes", label, logits.classes);
  }
  if (!std::ranges::all_of(logits.data, [](float x) { return std::isfinite(x); }))
    return fail(ErrorCode::InvalidArgument, "a logit is not finite");
  return {};
}

/// Derivative of the summed log loss by 1 / T: the mean of the logits under the softmax, less the label's logit.
double slope(const model::Logits& logits, std::span<const int> labels, double inverse) {
  double total = 0.0;
  for (int i = 0; i < logits.n; ++i) {
    const auto row = logits.row(i);
    const auto probabilities = model::softmax(row, 1.0 / inverse);
    for (std::size_t c = 0; c < row.size(); ++c) total += probabilities[c] * static_cast<double>(row[c]);
    total -= static_cast<double>(row[static_cast<std::size_t>(labels[static_cast<std::size_t>(i)])]);
  }
  return total;
}

}  // namespace

Result<double> fit_temperature(const model::Logits& logits, std::span<const int> labels) {
  TRY_VOID(check(logits, labels));
  double low = std::log(1.0 / kMostTemperature);
  double high = std::log(1.0 / kLeastTemperature);
  if (slope(logits, labels, std::exp(low)) >= 0.0 || slope(logits, labels, std::exp(high)) <= 0.0) return 1.0;
  while (high - low > 1e-9) {
    const double middle = 0.5 * (low + high);
    (slope(logits, labels, std::exp(middle)) < 0.0 ? low : high) = middle;
  }
  return std::exp(-0.5 * (low + high));
}

}  // namespace imago::evaluate
