// SPDX-License-Identifier: Apache-2.0
// Metrics in JSON: the "test" member of a package's report.json, and what `imago evaluate --json` prints.
#include "evaluate/metrics.hpp"

namespace imago::evaluate {
namespace {

Result<ClassMetrics> read_class(const json::Value& value) {
  ClassMetrics one;
  TRY(one.label, json::get<std::string>(value, "label"));
  TRY(one.precision, json::get<double>(value, "precision"));
  TRY(one.recall, json::get<double>(value, "recall"));
  TRY(one.f1, json::get<double>(value, "f1"));
  TRY(one.support, json::get<std::int64_t>(value, "support"));
  return one;
}

Result<Interval> read_interval(const json::Value& value) {
  Interval interval;
  TRY(interval.low, json::get<double>(value, "low"));
  TRY(interval.high, json::get<double>(value, "high"));
  return interval;
}

Result<std::vector<std::vector<std::int64_t>>> read_confusion(const json::Value& value, std::size_t classes) {
  TRY(const auto rows, json::get<std::vector<json::Value>>(value, "confusion"));
  if (rows.size() != classes)
    return fail(ErrorCode::InvalidArgument, "'confusion' has {} rows for {} classes", rows.size(), classes);
  std::vector<std::vector<std::int64_t>> confusion;
  for (const auto& row : rows) {
    TRY(auto counts, json::get<std::vector<std::int64_t>>(json::Value{{"row", row}}, "row"));
    if (counts.size() != classes)
      return fail(ErrorCode::InvalidArgument, "'confusion' row {} has {} numbers for {} classes", confusion.size(),
                  counts.size(), classes);
    confusion.push_back(std::move(counts));
  }
  return confusion;
}

}  // namespace

json::Value to_json(const Metrics& metrics) {
  json::Value classes = json::Value::array();
  for (const auto& one : metrics.classes)
    classes.push_back({{"label", one.label},
                       {"precision", one.precision},
                       {"recall", one.recall},
                       {"f1", one.f1},
                       {"support", one.support}});
  return {{"n", metrics.n},
          {"accuracy", metrics.accuracy},
          {"accuracy_interval", {{"low", metrics.accuracy_interval.low}, {"high", metrics.accuracy_interval.high}}},
          {"macro_precision", metrics.macro_precision},
          {"macro_recall", metrics.macro_recall},
          {"macro_f1", metrics.macro_f1},
          {"log_loss", metrics.log_loss},
          {"classes", std::move(classes)},
          {"confusion", metrics.confusion}};
}

Result<Metrics> metrics_from_json(const json::Value& value) {
  Metrics metrics;
  TRY(metrics.n, json::get<std::int64_t>(value, "n"));
  TRY(metrics.accuracy, json::get<double>(value, "accuracy"));
  TRY(const auto interval, json::get<json::Value>(value, "accuracy_interval"));
  TRY(metrics.accuracy_interval, read_interval(interval));
  TRY(metrics.macro_precision, json::get<double>(value, "macro_precision"));
  TRY(metrics.macro_recall, json::get<double>(value, "macro_recall"));
  TRY(metrics.macro_f1, json::get<double>(value, "macro_f1"));
  TRY(metrics.log_loss, json::get<double>(value, "log_loss"));
  TRY(const auto classes, json::get<std::vector<json::Value>>(value, "classes"));
  for (const auto& item : classes) {
    TRY(auto one, read_class(item));
    metrics.classes.push_back(std::move(one));
  }
  TRY(metrics.confusion, read_confusion(value, metrics.classes.size()));
  return metrics;
}

}  // namespace imago::evaluate
