// SPDX-License-Identifier: Apache-2.0
// Two models on the same images: is the difference more than chance?
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/rng.hpp"
#include "evaluate/metrics.hpp"
#include "evaluate/predictions.hpp"
#include "evaluate/slices.hpp"
#include "json/json.hpp"

namespace imago::evaluate {

/// Images by who is right. `fixed` are right with B alone, `broken` with A alone.
struct PairedCounts {
  std::int64_t both = 0, broken = 0, fixed = 0, neither = 0;

  [[nodiscard]] std::int64_t n() const { return both + broken + fixed + neither; }
  /// Accuracy of B less that of A.
  [[nodiscard]] double difference() const;
};

/// McNemar's test of "each is right where the other is wrong equally often".
struct McNemar {
  double p_exact = 1.0;    ///< two-sided binomial; 1 when they never disagree
  double statistic = 0.0;  ///< chi-square with one degree of freedom, with Edwards' correction of continuity
  double p_chi_square = 1.0;
};

/// Source: McNemar 1947; Edwards 1948 for the correction. Agrees with statsmodels' mcnemar.
McNemar mcnemar(std::int64_t broken, std::int64_t fixed);

/// 95 % percentile bootstrap interval of PairedCounts::difference: the images are drawn anew, with replacement,
/// `resamples` times. Only images on which the two disagree are drawn, which gives the same distribution at
/// O(resamples * (broken + fixed)). n > 0.
Interval bootstrap_difference(const PairedCounts& counts, Rng& rng, int resamples = 10'000);

/// One part of the split, under both.
struct SliceChange {
  std::string column, value;
  PairedCounts counts;
  double accuracy_a = 0.0, accuracy_b = 0.0;
  double p = 1.0;            ///< McNemar's exact
  bool significant = false;  ///< at 5 % over all parts together (Holm 1979)
};

struct Comparison {
  PairedCounts counts;
  double accuracy_a = 0.0, accuracy_b = 0.0;
  Interval interval_a, interval_b;  ///< Wilson
  Interval difference_interval;     ///< bootstrap
  McNemar test;
  std::vector<SliceChange> changes;        ///< classes first, then the other columns; in each the greatest loss first
  std::vector<std::size_t> fixed, broken;  ///< indices of answers, the surest first
};

/// @param a, b answers to the same images in the same order. InvalidArgument when they are not, or there are none.
/// @param columns of those images; "class" first is what a reader expects.
Result<Comparison> compare(std::span<const Answer> a, std::span<const Answer> b, std::span<const Column> columns,
                           std::uint64_t seed);

/// For people: the first `most` of each column.
std::vector<SliceChange> head_of_each_column(std::span<const SliceChange> changes, std::size_t most);

json::Value to_json(const Comparison& comparison);

/// One sentence: which is better by how much, or that no difference was shown; and which classes lost.
std::string verdict(const Comparison& comparison, const std::string& name_a, const std::string& name_b);

}  // namespace imago::evaluate
