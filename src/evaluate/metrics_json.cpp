// SPDX-License-Identifier: Apache-2.0
// Metrics as they lie in a package's report.json and in answers.
#include <algorithm>

#include "evaluate/metrics.hpp"

namespace imago::evaluate {
namespace {

json::Value or_null(const std::optional<double>& value) { return value ? json::Value(*value) : json::Value(); }

json::Value to_json(const Averages& averages) {
  return {{"precision", averages.precision}, {"recall", averages.recall}, {"f1", averages.f1}};
}

Result<std::optional<double>> optional_from(const json::Value& value, std::string_view key) {
  if (!value.contains(key) || value[key].is_null()) return std::nullopt;
  TRY(const double number, json::get<double>(value, key));
  return number;
}

Result<Interval> interval_from(const json::Value& value) {
  Interval interval;
  TRY(interval.low, json::get<double>(value, "low"));
  TRY(interval.high, json::get<double>(value, "high"));
  return interval;
}

Result<Averages> averages_from(const json::Value& value, std::string_view key) {
  TRY(const auto object, json::get_or<json::Value>(value, key, json::Value::object()));
  Averages averages;
  TRY(averages.precision, json::get_or<double>(object, "precision", 0.0));
  TRY(averages.recall, json::get_or<double>(object, "recall", 0.0));
  TRY(averages.f1, json::get_or<double>(object, "f1", 0.0));
  return averages;
}

/// What reports of the first packages do not have.
Result<void> read_later_additions(const json::Value& value, Metrics& metrics) {
  TRY(metrics.micro, averages_from(value, "micro"));
  TRY(metrics.weighted, averages_from(value, "weighted"));
  TRY(metrics.balanced_accuracy, json::get_or<double>(value, "balanced_accuracy", 0.0));
  TRY(metrics.matthews, json::get_or<double>(value, "matthews", 0.0));
  TRY(metrics.brier, json::get_or<double>(value, "brier", 0.0));
  TRY(metrics.macro_roc_auc, optional_from(value, "macro_roc_auc"));
  TRY(metrics.macro_average_precision, optional_from(value, "macro_average_precision"));
  if (value.contains("calibration")) {
    TRY(metrics.calibration, calibration_from_json(value["calibration"]));
  }
  if (!value.contains("top_k")) return {};
  TRY(const auto rows, json::get<std::vector<json::Value>>(value, "top_k"));
  for (const json::Value& row : rows) {
    TopK& one = metrics.top_k.emplace_back();
    TRY(one.k, json::get<int>(row, "k"));
    TRY(one.accuracy, json::get<double>(row, "accuracy"));
    TRY(const auto interval, json::get<json::Value>(row, "interval"));
    TRY(one.interval, interval_from(interval));
  }
  return {};
}

}  // namespace

json::Value to_json(const Interval& interval) { return {{"low", interval.low}, {"high", interval.high}}; }

json::Value to_json(const Metrics& metrics) {
  json::Value classes = json::Value::array(), top_k = json::Value::array();
  for (const ClassMetrics& one : metrics.classes) {
    classes.push_back({{"label", one.label},
                       {"precision", one.precision},
                       {"recall", one.recall},
                       {"f1", one.f1},
                       {"support", one.support},
                       {"roc_auc", or_null(one.roc_auc)},
                       {"average_precision", or_null(one.average_precision)}});
  }
  for (const TopK& one : metrics.top_k)
    top_k.push_back({{"k", one.k}, {"accuracy", one.accuracy}, {"interval", to_json(one.interval)}});
  return {{"n", metrics.n},
          {"accuracy", metrics.accuracy},
          {"accuracy_interval", to_json(metrics.accuracy_interval)},
          {"top_k", std::move(top_k)},
          {"macro_precision", metrics.macro_precision},
          {"macro_recall", metrics.macro_recall},
          {"macro_f1", metrics.macro_f1},
          {"micro", to_json(metrics.micro)},
          {"weighted", to_json(metrics.weighted)},
          {"balanced_accuracy", metrics.balanced_accuracy},
          {"matthews", metrics.matthews},
          {"log_loss", metrics.log_loss},
          {"brier", metrics.brier},
          {"macro_roc_auc", or_null(metrics.macro_roc_auc)},
          {"macro_average_precision", or_null(metrics.macro_average_precision)},
          {"calibration", to_json(metrics.calibration)},
          {"classes", std::move(classes)},
          {"confusion", metrics.confusion}};
}

Result<Metrics> metrics_from_json(const json::Value& value) {
  Metrics metrics;
  TRY(metrics.n, json::get<std::int64_t>(value, "n"));
  TRY(metrics.accuracy, json::get<double>(value, "accuracy"));
  TRY(const auto interval, json::get<json::Value>(value, "accuracy_interval"));
  TRY(metrics.accuracy_interval, interval_from(interval));
  TRY(metrics.macro_precision, json::get<double>(value, "macro_precision"));
  TRY(metrics.macro_recall, json::get<double>(value, "macro_recall"));
  TRY(metrics.macro_f1, json::get<double>(value, "macro_f1"));
  TRY(metrics.log_loss, json::get<double>(value, "log_loss"));
  TRY_VOID(read_later_additions(value, metrics));
  TRY(const auto classes, json::get<std::vector<json::Value>>(value, "classes"));
  for (const json::Value& item : classes) {
    ClassMetrics& one = metrics.classes.emplace_back();
    TRY(one.label, json::get<std::string>(item, "label"));
    TRY(one.precision, json::get<double>(item, "precision"));
    TRY(one.recall, json::get<double>(item, "recall"));
    TRY(one.f1, json::get<double>(item, "f1"));
    TRY(one.support, json::get<std::int64_t>(item, "support"));
    TRY(one.roc_auc, optional_from(item, "roc_auc"));
    TRY(one.average_precision, optional_from(item, "average_precision"));
  }
  TRY(const auto rows, json::get<std::vector<json::Value>>(value, "confusion"));
  for (const json::Value& row : rows) {
    TRY(auto counts, json::get<std::vector<std::int64_t>>(json::Value{{"confusion", row}}, "confusion"));
    metrics.confusion.push_back(std::move(counts));
  }
  const auto wrong_size = [&](const auto& row) { return row.size() != metrics.classes.size(); };
  if (wrong_size(metrics.confusion) || std::ranges::any_of(metrics.confusion, wrong_size)) {
    return fail(ErrorCode::InvalidArgument, "'confusion' is not {0} x {0}, as 'classes' has it",
                metrics.classes.size());
  }
  return metrics;
}

}  // namespace imago::evaluate
