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

Calibration measure_calibration(std::span<const double> confidence, const std::vector<bool>& right, int bins) {
  EXPECTS(bins >= 1 && !confidence.empty() && confidence.size() == right.size(), "a bin and an answer or more");
  Calibration calibration;
  for (int b = 0; b < bins; ++b)
    calibration.bins.push_back({.low = static_cast<double>(b) / bins, .high = static_cast<double>(b + 1) / bins});
  for (std::size_t i = 0; i < confidence.size(); ++i) {
    const int b = std::clamp(static_cast<int>(std::ceil(confidence[i] * bins)) - 1, 0, bins - 1);
    ReliabilityBin& bin = calibration.bins[static_cast<std::size_t>(b)];
    ++bin.n;
    bin.confidence += confidence[i];
    bin.accuracy += right[i] ? 1.0 : 0.0;
    calibration.mean_confidence += confidence[i] / static_cast<double>(confidence.size());
  }
  for (ReliabilityBin& bin : calibration.bins) {
    if (bin.n == 0) continue;
    bin.confidence /= static_cast<double>(bin.n);
    bin.accuracy /= static_cast<double>(bin.n);
    const double gap = std::abs(bin.accuracy - bin.confidence);
    calibration.expected_error += gap * static_cast<double>(bin.n) / static_cast<double>(confidence.size());
    calibration.largest_error = std::max(calibration.largest_error, gap);
  }
  return calibration;
}

json::Value to_json(const Calibration& calibration) {
  json::Value bins = json::Value::array();
  for (const ReliabilityBin& bin : calibration.bins) {
    bins.push_back({{"low", bin.low},
                    {"high", bin.high},
                    {"n", bin.n},
                    {"confidence", bin.confidence},
                    {"accuracy", bin.accuracy}});
  }
  return {{"expected_error", calibration.expected_error},
          {"largest_error", calibration.largest_error},
          {"mean_confidence", calibration.mean_confidence},
          {"bins", std::move(bins)}};
}

Result<Calibration> calibration_from_json(const json::Value& value) {
  Calibration calibration;
  TRY(calibration.expected_error, json::get<double>(value, "expected_error"));
  TRY(calibration.largest_error, json::get<double>(value, "largest_error"));
  TRY(calibration.mean_confidence, json::get<double>(value, "mean_confidence"));
  TRY(const auto bins, json::get<std::vector<json::Value>>(value, "bins"));
  for (const json::Value& item : bins) {
    ReliabilityBin& bin = calibration.bins.emplace_back();
    TRY(bin.low, json::get<double>(item, "low"));
    TRY(bin.high, json::get<double>(item, "high"));
    TRY(bin.n, json::get<std::int64_t>(item, "n"));
    TRY(bin.confidence, json::get<double>(item, "confidence"));
    TRY(bin.accuracy, json::get<double>(item, "accuracy"));
  }
  return calibration;
}

}  // namespace imago::evaluate
