// SPDX-License-Identifier: Apache-2.0
// How good a classifier is, from its logits and the truth. Definitions are scikit-learn's; tests hold them to it.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "data/packed.hpp"
#include "json/json.hpp"
#include "model/classifier.hpp"
#include "model/spec.hpp"

namespace imago::evaluate {

struct ClassMetrics {
  std::string label;
  double precision = 0.0;  ///< 0 when the class was never predicted
  double recall = 0.0;     ///< 0 when the class never occurs
  double f1 = 0.0;
  std::int64_t support = 0;
};

struct Interval {
  double low = 0.0, high = 0.0;
};

struct Metrics {
  std::int64_t n = 0;
  double accuracy = 0.0;
  Interval accuracy_interval;  ///< Wilson, 95 %
  double macro_precision = 0.0, macro_recall = 0.0, macro_f1 = 0.0;
  double log_loss = 0.0;  ///< natural log, probabilities clipped at 1e-15
  std::vector<ClassMetrics> classes;
  std::vector<std::vector<std::int64_t>> confusion;  ///< [truth][predicted]
};

/// @param labels [logits.n], each in [0, classes). InvalidArgument when sizes differ, n is 0, a label is out of range
/// or a logit is not finite.
Result<Metrics> compute_metrics(const model::Logits& logits, std::span<const int> labels,
                                const std::vector<std::string>& names, double temperature = 1.0);

/// Wilson score interval of a proportion (Wilson 1927). n > 0.
Interval wilson_interval(std::int64_t successes, std::int64_t n, double z = 1.959963984540054);

/// Logits of a whole split in batches.
Result<model::Logits> predict_split(model::Classifier& classifier, const data::PackedSplit& split,
                                    const image::Preprocess& preprocess,
                                    const std::function<void(std::size_t, std::size_t)>& on_progress);

json::Value to_json(const Metrics& metrics);
Result<Metrics> metrics_from_json(const json::Value& value);

/// Tables for the terminal: the summary, a row a class, the confusion matrix.
std::string format_table(const Metrics& metrics);

}  // namespace imago::evaluate
