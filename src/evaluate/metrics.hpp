// SPDX-License-Identifier: Apache-2.0
// How good a classifier is, from its logits and the truth. Definitions are scikit-learn's; tests hold them to it, and
// docs/evaluation.md has the formulas.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "evaluate/calibration.hpp"
#include "json/json.hpp"
#include "model/classifier.hpp"

namespace imago::evaluate {

struct ClassMetrics {
  std::string label;
  double precision = 0.0;  ///< 0 when the class was never predicted
  double recall = 0.0;     ///< 0 when the class never occurs
  double f1 = 0.0;
  std::int64_t support = 0;
  std::optional<double> roc_auc{};            ///< this class against the rest; none unless both occur
  std::optional<double> average_precision{};  ///< the same; none when the class never occurs
};

struct Interval {
  double low = 0.0, high = 0.0;
};

struct Averages {
  double precision = 0.0, recall = 0.0, f1 = 0.0;
};

/// How often the truth is among the k likeliest. Of equal logits the later class counts as likelier, as in
/// scikit-learn.
struct TopK {
  int k = 0;
  double accuracy = 0.0;
  Interval interval;  ///< Wilson, 95 %
};

struct Metrics {
  std::int64_t n = 0;
  double accuracy = 0.0;
  Interval accuracy_interval;  ///< Wilson, 95 %
  std::vector<TopK> top_k{};   ///< for 2, 3 and 5, below the number of classes
  double macro_precision = 0.0, macro_recall = 0.0, macro_f1 = 0.0;
  Averages micro{};                ///< all three are the accuracy where each image has one class
  Averages weighted{};             ///< by support
  double balanced_accuracy = 0.0;  ///< mean recall of the classes that occur
  double matthews = 0.0;           ///< correlation of truth and prediction; 0 when either is always the same class
  double log_loss = 0.0;           ///< natural log, probabilities clipped at 2^-52
  double brier = 0.0;              ///< mean squared error of the probabilities, summed over classes; halved for two
  std::optional<double> macro_roc_auc{};            ///< mean over the classes that have one
  std::optional<double> macro_average_precision{};  ///< the same
  Calibration calibration{};
  std::vector<ClassMetrics> classes;
  std::vector<std::vector<std::int64_t>> confusion;  ///< [truth][predicted]
};

/// @param labels [logits.n], each in [0, classes). InvalidArgument when sizes differ, n is 0, a label is out of range
/// or a logit is not finite. O(n * classes * log n) time, O(n * classes) memory.
Result<Metrics> compute_metrics(const model::Logits& logits, std::span<const int> labels,
                                const std::vector<std::string>& names, double temperature = 1.0);

/// Wilson score interval of a proportion (Wilson 1927). n > 0.
Interval wilson_interval(std::int64_t successes, std::int64_t n, double z = 1.959963984540054);

/// Images of one class that were taken for another.
struct Confusion {
  std::int64_t n = 0;
  int truth = 0, said = 0;
};

/// Those that happen, the most frequent first, at most `most`.
std::vector<Confusion> frequent_confusions(const Metrics& metrics, std::size_t most);

json::Value to_json(const Interval& interval);  ///< {"low", "high"}
json::Value to_json(const Metrics& metrics);
/// Reads reports of older packages too, in which what came later is missing.
Result<Metrics> metrics_from_json(const json::Value& value);

/// Tables for the terminal: the summary, a row a class, the confusion matrix.
std::string format_table(const Metrics& metrics);

}  // namespace imago::evaluate
