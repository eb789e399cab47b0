// SPDX-License-Identifier: Apache-2.0
// Answering only where it is sure: what that costs in coverage, and where the limit is for a wanted accuracy.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "evaluate/metrics.hpp"
#include "evaluate/predictions.hpp"
#include "json/json.hpp"
#include "model/abstention.hpp"

namespace imago::evaluate {

/// All answers whose confidence is `least_confidence` or more.
struct CoveragePoint {
  double least_confidence = 0.0;
  std::int64_t answered = 0, right = 0;

  [[nodiscard]] double accuracy() const { return static_cast<double>(right) / static_cast<double>(answered); }
};

/// From the surest answers to all, a point at each confidence that occurs.
std::vector<CoveragePoint> coverage_curve(std::span<const Answer> answers);

/// The largest share of images that can be answered with at least this accuracy, had the limit been chosen on them.
struct CoverageAt {
  double accuracy = 0.0;
  double coverage = 0.0;  ///< 0 when no limit reaches the accuracy
  Interval interval;      ///< 95 % percentile bootstrap; each resample chooses its own limit
  double least_confidence = 1.0;
};

inline constexpr std::size_t kMostCoveragePoints = 200;

struct Coverage {
  std::int64_t n = 0;
  std::vector<CoveragePoint> curve;  ///< thinned evenly to at most kMostCoveragePoints; the last is all images
  double risk_area = 0.0;            ///< AURC: mean over the images of the error rate of those as sure or surer
  std::vector<CoverageAt> at;        ///< for accuracies of 95 %, 99 % and 99.9 %
};

/// @param answers one or more. O(n log n), and 200 to 1,000 resamples of O(n).
/// Source of the area: Y. Geifman, G. Uziel, R. El-Yaniv, "Bias-reduced uncertainty estimation for deep neural
/// classifiers", ICLR 2019.
Coverage measure_coverage(std::span<const Answer> answers, std::uint64_t seed = 1);

json::Value to_json(const Coverage& coverage);  ///< without the curve
json::Value curve_json(const Coverage& coverage);

/// P(X <= k) of X binomial (n, p).
double binomial_at_most(std::int64_t k, std::int64_t n, double p);

struct SelectiveGoal {
  double accuracy = 0.99;
  /// With how much certainty the accuracy holds beyond these images, as in the source; 0: it is enough that it holds on
  /// them.
  double certainty = 0.95;
};

/// InvalidArgument when the accuracy is outside (0, 1) or the certainty outside [0, 1).
Result<void> check_goal(const SelectiveGoal& goal);

struct SelectiveFit {
  double least_confidence = 0.0;
  std::int64_t n = 0, answered = 0, right = 0;
};

/// The least confidence that found the most answers at the wanted accuracy. `certainty` 0: of all limits. Otherwise by
/// bisection over the sorted images, as the source has it: ceil(log2 n) limits are tried, and one is good when
/// P(as few errors | error rate 1 - accuracy) is at most (1 - certainty) / ceil(log2 n), so that all bounds hold
/// together.
///
/// @error InvalidArgument when no limit will do, saying how far the surest images get; when a goal is outside (0, 1), a
/// certainty outside [0, 1), or there are no answers.
/// Source: Y. Geifman, R. El-Yaniv, "Selective classification for deep neural networks", NeurIPS 2017, algorithm 1.
Result<SelectiveFit> fit_least_confidence(std::span<const Answer> answers, const SelectiveGoal& goal);

/// The same for the images that are said to be of each class, on their own. The error names the class.
Result<std::vector<SelectiveFit>> fit_least_confidences(std::span<const Answer> answers,
                                                        const std::vector<std::string>& names,
                                                        const SelectiveGoal& goal);

/// The least of the energies that at least the share `keep` of them are not above. @param energies one or more.
/// @param keep in (0, 1].
double fit_most_energy(std::vector<double> energies, double keep);

/// Sets Answer::doubt by the policy. @param logits a row an answer.
void judge(std::vector<Answer>& answers, const model::Logits& logits, const model::AbstentionPolicy& policy);

/// What a policy makes of a split.
struct AbstentionOutcome {
  model::AbstentionPolicy policy;
  std::int64_t n = 0, unsure = 0, unfamiliar = 0, right = 0;  ///< `right` of those that are answered

  [[nodiscard]] std::int64_t answered() const { return n - unsure - unfamiliar; }
};
/// By Answer::doubt.
AbstentionOutcome abstention_outcome(std::span<const Answer> answers, const model::AbstentionPolicy& policy);
/// "coverage" and "accuracy" with Wilson's intervals; accuracy is null when nothing is answered.
json::Value to_json(const AbstentionOutcome& outcome);

}  // namespace imago::evaluate
