// SPDX-License-Identifier: Apache-2.0
#include "evaluate/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>

#include "evaluate/ranking.hpp"

namespace imago::evaluate {
namespace {

constexpr double kLeastProbability = std::numeric_limits<double>::epsilon();

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

/// How often each class is the truth, and how often it is said.
struct Margins {
  std::vector<std::int64_t> truth, said;
};

Margins margins_of(const std::vector<std::vector<std::int64_t>>& confusion) {
  Margins margins{std::vector<std::int64_t>(confusion.size()), std::vector<std::int64_t>(confusion.size())};
  for (std::size_t truth = 0; truth < confusion.size(); ++truth) {
    for (std::size_t said = 0; said < confusion.size(); ++said) {
      margins.truth[truth] += confusion[truth][said];
      margins.said[said] += confusion[truth][said];
    }
  }
  return margins;
}

void fill_averages(Metrics& metrics) {
  const auto classes = static_cast<double>(metrics.classes.size());
  double present = 0.0;
  for (const ClassMetrics& one : metrics.classes) {
    metrics.macro_precision += one.precision / classes;
    metrics.macro_recall += one.recall / classes;
    metrics.macro_f1 += one.f1 / classes;
    const double share = ratio(one.support, metrics.n);
    metrics.weighted.precision += share * one.precision;
    metrics.weighted.recall += share * one.recall;
    metrics.weighted.f1 += share * one.f1;
    metrics.balanced_accuracy += one.recall;
    if (one.support > 0) present += 1.0;
  }
  metrics.balanced_accuracy /= present;
  metrics.micro = {metrics.accuracy, metrics.accuracy, metrics.accuracy};
}

/// Gorodkin's R_K: the covariance of truth and prediction over the root of the product of their variances.
double matthews(const Margins& margins, std::int64_t n, double accuracy) {
  double both = 0.0, truths = 0.0, answers = 0.0;
  for (std::size_t k = 0; k < margins.truth.size(); ++k) {
    const double truth = ratio(margins.truth[k], n), said = ratio(margins.said[k], n);
    both += truth * said;
    truths += truth * truth;
    answers += said * said;
  }
  if (truths >= 1.0 || answers >= 1.0) return 0.0;
  return (accuracy - both) / std::sqrt((1.0 - truths) * (1.0 - answers));
}

/// Everything that the confusion matrix determines.
void fill_from_confusion(Metrics& metrics, const std::vector<std::string>& names) {
  const Margins margins = margins_of(metrics.confusion);
  std::int64_t right = 0;
  for (std::size_t k = 0; k < names.size(); ++k) {
    const std::int64_t hits = metrics.confusion[k][k];
    right += hits;
    metrics.classes.push_back({.label = names[k],
                               .precision = ratio(hits, margins.said[k]),
                               .recall = ratio(hits, margins.truth[k]),
                               .f1 = ratio(2 * hits, margins.said[k] + margins.truth[k]),
                               .support = margins.truth[k]});
  }
  metrics.accuracy = ratio(right, metrics.n);
  metrics.accuracy_interval = wilson_interval(right, metrics.n);
  fill_averages(metrics);
  metrics.matthews = matthews(margins, metrics.n, metrics.accuracy);
}

/// How many classes come before the true one.
int rank_of(std::span<const float> row, int truth) {
  const float score = row[static_cast<std::size_t>(truth)];
  int before = 0;
  for (std::size_t c = 0; c < row.size(); ++c) {
    if (row[c] > score || (row[c] == score && static_cast<int>(c) > truth)) ++before;
  }
  return before;
}

void fill_top_k(Metrics& metrics, const model::Logits& logits, std::span<const int> labels) {
  for (const int k : {2, 3, 5}) {
    if (k >= logits.classes) continue;
    std::int64_t hits = 0;
    for (int i = 0; i < logits.n; ++i) {
      if (rank_of(logits.row(i), labels[static_cast<std::size_t>(i)]) < k) ++hits;
    }
    metrics.top_k.push_back({k, ratio(hits, metrics.n), wilson_interval(hits, metrics.n)});
  }
}

void fill_brier(Metrics& metrics, const ProbabilityColumns& columns, std::span<const int> labels) {
  double sum = 0.0;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const double error = columns[c][i] - (labels[i] == static_cast<int>(c) ? 1.0 : 0.0);
      sum += error * error;
    }
  }
  metrics.brier = sum / static_cast<double>(labels.size()) * (columns.size() == 2 ? 0.5 : 1.0);
}

void fill_rankings(Metrics& metrics, const ProbabilityColumns& columns, std::span<const int> labels) {
  double areas = 0.0, precisions = 0.0;
  int with_area = 0, with_precision = 0;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const Ranking ranking = rank_class(columns[c], labels, static_cast<int>(c));
    ClassMetrics& one = metrics.classes[c];
    one.roc_auc = ranking.roc_auc();
    one.average_precision = ranking.average_precision();
    areas += one.roc_auc.value_or(0.0);
    precisions += one.average_precision.value_or(0.0);
    with_area += one.roc_auc ? 1 : 0;
    with_precision += one.average_precision ? 1 : 0;
  }
  if (with_area > 0) metrics.macro_roc_auc = areas / with_area;
  if (with_precision > 0) metrics.macro_average_precision = precisions / with_precision;
}

void fill_calibration(Metrics& metrics, const ProbabilityColumns& columns, const model::Logits& logits,
                      std::span<const int> labels) {
  std::vector<double> confidence(labels.size());
  std::vector<bool> right(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const int said = model::argmax(logits.row(static_cast<int>(i)));
    confidence[i] = columns[static_cast<std::size_t>(said)][i];
    right[i] = said == labels[i];
  }
  metrics.calibration = measure_calibration(confidence, right);
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
  fill_top_k(metrics, logits, labels);
  const ProbabilityColumns columns = probability_columns(logits, temperature);
  fill_brier(metrics, columns, labels);
  fill_rankings(metrics, columns, labels);
  fill_calibration(metrics, columns, logits, labels);
  return metrics;
}

std::vector<Confusion> frequent_confusions(const Metrics& metrics, std::size_t most) {
  std::vector<Confusion> all;
  for (std::size_t truth = 0; truth < metrics.confusion.size(); ++truth) {
    for (std::size_t said = 0; said < metrics.confusion.size(); ++said) {
      const std::int64_t n = metrics.confusion[truth][said];
      if (truth != said && n > 0) all.push_back({n, static_cast<int>(truth), static_cast<int>(said)});
    }
  }
  std::ranges::stable_sort(all, std::greater<>(), &Confusion::n);
  all.resize(std::min(all.size(), most));
  return all;
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

}  // namespace imago::evaluate
