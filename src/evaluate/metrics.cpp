// SPDX-License-Identifier: Apache-2.0
#include "evaluate/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace imago::evaluate {
namespace {

constexpr double kLeastProbability = 1e-15;
constexpr std::size_t kBatch = 256;

double ratio(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

Result<void> check(const model::Logits& logits, std::span<const int> labels, const std::vector<std::string>& names,
                   double temperature) {
  const auto n = static_cast<std::size_t>(logits.n), classes = static_cast<std::size_t>(logits.classes);
  if (logits.n < 1 || logits.classes < 2 || logits.data.size() != n * classes) {
    return fail(ErrorCode::InvalidArgument, "logits [{}, {}] with {} values cannot be measured", logits.n,
                logits.classes, logits.data.size());
  }
  if (labels.size() != n) {
    return fail(ErrorCode::InvalidArgument, "logits [{}, {}] but {} labels", n, classes, labels.size());
  }
  if (names.size() != classes) {
    return fail(ErrorCode::InvalidArgument, "logits [{}, {}] but {} class names", n, classes, names.size());
  }
  if (!(temperature > 0.0 && std::isfinite(temperature))) {
    return fail(ErrorCode::InvalidArgument, "temperature {} is not above 0", temperature);
  }
  for (std::size_t i = 0; i < n; ++i) {
    if (labels[i] < 0 || labels[i] >= logits.classes) {
      return fail(ErrorCode::InvalidArgument, "label {} of image {}, but {} classes", labels[i], i, classes);
    }
  }
  const auto broken = std::ranges::find_if_not(logits.data, [](float value) { return std::isfinite(value); });
  if (broken != logits.data.end()) {
    return fail(ErrorCode::InvalidArgument, "a logit of image {} is {}",
                static_cast<std::size_t>(broken - logits.data.begin()) / classes, *broken);
  }
  return {};
}

/// -log of the clipped probability of the true class, without leaving the logarithm: exp(-800) would be 0.
double surprise(std::span<const float> row, int label, double temperature) {
  const double largest = *std::ranges::max_element(row);
  double sum = 0.0;
  for (const float logit : row) sum += std::exp((static_cast<double>(logit) - largest) / temperature);
  const double truth = (static_cast<double>(row[static_cast<std::size_t>(label)]) - largest) / temperature;
  return std::clamp(std::log(sum) - truth, -std::log1p(-kLeastProbability), -std::log(kLeastProbability));
}

/// Everything that the confusion matrix determines.
void fill_from_confusion(Metrics& metrics, const std::vector<std::string>& names) {
  std::int64_t correct = 0;
  for (std::size_t k = 0; k < names.size(); ++k) {
    std::int64_t predicted = 0, support = 0;
    for (std::size_t other = 0; other < names.size(); ++other) {
      predicted += metrics.confusion[other][k];
      support += metrics.confusion[k][other];
    }
    const std::int64_t hits = metrics.confusion[k][k];
    correct += hits;
    metrics.classes.push_back({.label = names[k],
                               .precision = ratio(hits, predicted),
                               .recall = ratio(hits, support),
                               .f1 = ratio(2 * hits, predicted + support),
                               .support = support});
  }
  const auto classes = static_cast<double>(names.size());
  for (const ClassMetrics& one : metrics.classes) {
    metrics.macro_precision += one.precision / classes;
    metrics.macro_recall += one.recall / classes;
    metrics.macro_f1 += one.f1 / classes;
  }
  metrics.accuracy = ratio(correct, metrics.n);
  metrics.accuracy_interval = wilson_interval(correct, metrics.n);
}

}  // namespace

Result<Metrics> compute_metrics(const model::Logits& logits, std::span<const int> labels,
                                const std::vector<std::string>& names, double temperature) {
  TRY_VOID(check(logits, labels, names, temperature));
  Metrics metrics;
  metrics.n = logits.n;
  metrics.confusion.assign(names.size(), std::vector<std::int64_t>(names.size(), 0));
  for (int i = 0; i < logits.n; ++i) {
    const int label = labels[static_cast<std::size_t>(i)];
    const auto row = logits.row(i);
    ++metrics.confusion[static_cast<std::size_t>(label)][static_cast<std::size_t>(model::argmax(row))];
    metrics.log_loss += surprise(row, label, temperature);
  }
  metrics.log_loss /= static_cast<double>(logits.n);
  fill_from_confusion(metrics, names);
  return metrics;
}

Interval wilson_interval(std::int64_t successes, std::int64_t n, double z) {
  EXPECTS(n > 0 && successes >= 0 && successes <= n, "a proportion of something");
  const auto total = static_cast<double>(n);
  const double p = static_cast<double>(successes) / total;
  const double spread = z * std::sqrt(p * (1.0 - p) / total + z * z / (4.0 * total * total));
  const double centre = p + z * z / (2.0 * total);
  const double scale = 1.0 + z * z / total;
  // At the ends the formula gives exactly 0 and 1, but for rounding.
  return {.low = successes == 0 ? 0.0 : (centre - spread) / scale,
          .high = successes == n ? 1.0 : (centre + spread) / scale};
}

Result<model::Logits> predict_split(model::Classifier& classifier, const data::PackedSplit& split,
                                    const image::Preprocess& preprocess,
                                    const std::function<void(std::size_t, std::size_t)>& on_progress) {
  if (split.width() != preprocess.width || split.height() != preprocess.height) {
    return fail(ErrorCode::InvalidArgument, "the images are {} x {}, but the model takes {} x {}", split.width(),
                split.height(), preprocess.width, preprocess.height);
  }
  model::Logits all{.n = 0, .classes = classifier.classes(), .data = {}};
  all.data.reserve(split.size() * static_cast<std::size_t>(all.classes));
  image::ImageBatch batch{.n = 0, .channels = 3, .height = split.height(), .width = split.width(), .data = {}};
  for (std::size_t begin = 0; begin < split.size(); begin += kBatch) {
    const std::size_t count = std::min(kBatch, split.size() - begin);
    batch.n = static_cast<int>(count);
    batch.data.resize(count * batch.item_size());
    for (std::size_t i = 0; i < count; ++i) {
      image::normalize(split.image(begin + i), preprocess, batch.item(static_cast<int>(i)));
    }
    TRY(const auto logits, classifier.classify(batch));
    if (logits.n != batch.n || logits.classes != all.classes) {
      return fail(ErrorCode::Internal, "the classifier gave [{}, {}] for {} images of {} classes", logits.n,
                  logits.classes, batch.n, all.classes);
    }
    all.data.insert(all.data.end(), logits.data.begin(), logits.data.end());
    all.n += logits.n;
    if (on_progress) on_progress(begin + count, split.size());
  }
  return all;
}

json::Value to_json(const Metrics& metrics) {
  json::Value classes = json::Value::array();
  for (const ClassMetrics& one : metrics.classes) {
    classes.push_back({{"label", one.label},
                       {"precision", one.precision},
                       {"recall", one.recall},
                       {"f1", one.f1},
                       {"support", one.support}});
  }
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
  TRY(metrics.accuracy_interval.low, json::get<double>(interval, "low"));
  TRY(metrics.accuracy_interval.high, json::get<double>(interval, "high"));
  TRY(metrics.macro_precision, json::get<double>(value, "macro_precision"));
  TRY(metrics.macro_recall, json::get<double>(value, "macro_recall"));
  TRY(metrics.macro_f1, json::get<double>(value, "macro_f1"));
  TRY(metrics.log_loss, json::get<double>(value, "log_loss"));
  TRY(const auto classes, json::get<std::vector<json::Value>>(value, "classes"));
  for (const json::Value& item : classes) {
    ClassMetrics& one = metrics.classes.emplace_back();
    TRY(one.label, json::get<std::string>(item, "label"));
    TRY(one.precision, json::get<double>(item, "precision"));
    TRY(one.recall, json::get<double>(item, "recall"));
    TRY(one.f1, json::get<double>(item, "f1"));
    TRY(one.support, json::get<std::int64_t>(item, "support"));
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
