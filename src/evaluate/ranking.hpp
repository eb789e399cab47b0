// SPDX-License-Identifier: Apache-2.0
// How well a score puts what belongs to a class before what does not, whatever the threshold. Definitions and the
// handling of ties are scikit-learn's.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "model/classifier.hpp"

namespace imago::evaluate {

/// Images sorted by score, counted at each distinct score: those with that score or a higher one.
class Ranking {
 public:
  /// @param scores finite. @param positive as many: whether the image belongs to the class. O(n log n).
  Ranking(std::span<const double> scores, const std::vector<bool>& positive);

  /// Area under the ROC curve, by trapezoids: the chance that a random positive scores higher than a random negative,
  /// ties counting half. None unless there are both.
  [[nodiscard]] std::optional<double> roc_auc() const;

  /// Area under the precision-recall curve, by steps: sum of (recall_i - recall_{i-1}) * precision_i. None without
  /// positives.
  [[nodiscard]] std::optional<double> average_precision() const;

  /// (false positive rate, true positive rate) from (0, 0) to (1, 1), x rising; empty unless there are both. Thinned
  /// evenly to about `most` points.
  [[nodiscard]] std::vector<std::pair<double, double>> roc_curve(std::size_t most = 200) const;

  /// (recall, precision), x rising; empty without positives.
  [[nodiscard]] std::vector<std::pair<double, double>> precision_recall_curve(std::size_t most = 200) const;

 private:
  struct Count {
    double positives, all;
  };
  std::vector<Count> counts_;  // at each distinct score, from the highest
  double positives_ = 0, negatives_ = 0;
};

/// Class by class, the probability of each image.
using ProbabilityColumns = std::vector<std::vector<double>>;
ProbabilityColumns probability_columns(const model::Logits& logits, double temperature);

/// One class against the rest. @param column its probability of each image. @param labels of the images.
Ranking rank_class(std::span<const double> column, std::span<const int> labels, int which);

/// A class's two curves, as a report shows them.
struct ClassCurves {
  std::string label;
  std::vector<std::pair<double, double>> roc, precision_recall;
};

/// One against the rest, by the class's probability. Labels as compute_metrics takes them.
std::vector<ClassCurves> class_curves(const model::Logits& logits, std::span<const int> labels,
                                      const std::vector<std::string>& names, double temperature,
                                      std::size_t most = 200);

}  // namespace imago::evaluate
