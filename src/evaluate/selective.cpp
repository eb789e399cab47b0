// SPDX-License-Identifier: Apache-2.0
#include "evaluate/selective.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <functional>
#include <numeric>
#include <optional>

#include "base/rng.hpp"
#include "evaluate/quantile.hpp"

namespace imago::evaluate {
namespace {

/// The limit with the most answers that are right often enough; null when there is none.
const CoveragePoint* widest(const std::vector<CoveragePoint>& curve, double accuracy) {
  const auto reaches = [accuracy](const CoveragePoint& point) { return point.accuracy() >= accuracy; };
  const auto found = std::find_if(curve.rbegin(), curve.rend(), reaches);
  return found == curve.rend() ? nullptr : &*found;
}

/// How many limits the bisection tries: ceil(log2 n).
int tries_of(std::int64_t n) {
  return std::max(1, static_cast<int>(std::bit_width(static_cast<std::uint64_t>(n - 1))));
}

/// The limits that the bisection tries are the confidences of single images, the least sure first.
std::optional<CoveragePoint> bisect(const std::vector<CoveragePoint>& curve, const SelectiveGoal& goal) {
  const auto n = static_cast<std::uint64_t>(curve.back().answered);
  const int tries = tries_of(curve.back().answered);
  const double chance = (1.0 - goal.certainty) / tries;
  std::uint64_t low = 1, high = n;
  std::optional<CoveragePoint> best;
  for (int i = 0; i < tries; ++i) {
    const std::uint64_t middle = (low + high + 1) / 2;
    // The limit is the confidence of image `middle` from the least sure: the first point that answers it.
    const auto point =
        std::ranges::lower_bound(curve, static_cast<std::int64_t>(n - middle + 1), {}, &CoveragePoint::answered);
    const std::int64_t errors = point->answered - point->right;
    const bool good = binomial_at_most(errors, point->answered, 1.0 - goal.accuracy) <= chance;
    if (good && (!best || point->answered > best->answered)) best = *point;
    (good ? high : low) = middle;
  }
  return best;
}

std::string advice(const std::vector<CoveragePoint>& curve, const SelectiveGoal& goal) {
  const std::int64_t n = curve.back().answered;
  const auto* enough = widest(curve, goal.accuracy);
  if (enough == nullptr) {
    const auto least_right = [](const CoveragePoint& a, const CoveragePoint& b) { return a.accuracy() < b.accuracy(); };
    const auto best = std::ranges::max_element(curve, least_right);
    return fmt::format("the best that a limit does is {:.2f} %, of {} of {} images", 100.0 * best->accuracy(),
                       best->answered, n);
  }
  const double least = std::log((1.0 - goal.certainty) / tries_of(n)) / std::log(goal.accuracy);
  return fmt::format(
      "{} of {} images could be answered, but that this holds on others too they are too few to show (without an error "
      "it takes {:.0f}); use more images, ask for less, or with --certainty 0 for what holds on these alone",
      enough->answered, n, std::ceil(least));
}

/// For each target the coverages that resamples of the images reach.
std::vector<std::vector<double>> resampled(const std::vector<CoveragePoint>& curve, std::span<const double> targets,
                                           Rng& rng) {
  constexpr std::int64_t kMostDraws = 4'000'000;
  const std::int64_t n = curve.back().answered;
  const auto resamples = static_cast<std::size_t>(std::clamp<std::int64_t>(kMostDraws / n, 200, 1000));
  // Image i, counted from the surest and the right ones of a confidence first, belongs to one point.
  std::vector<std::uint32_t> point_of;
  std::vector<bool> is_right;
  for (std::size_t p = 0; p < curve.size(); ++p) {
    const std::int64_t before = p == 0 ? 0 : curve[p - 1].answered;
    const std::int64_t right = curve[p].right - (p == 0 ? 0 : curve[p - 1].right);
    for (std::int64_t i = before; i < curve[p].answered; ++i) {
      point_of.push_back(static_cast<std::uint32_t>(p));
      is_right.push_back(i - before < right);
    }
  }
  std::vector<std::vector<double>> coverages(targets.size());
  std::vector<std::int64_t> drawn(curve.size()), drawn_right(curve.size());
  for (std::size_t r = 0; r < resamples; ++r) {
    std::ranges::fill(drawn, 0);
    std::ranges::fill(drawn_right, 0);
    for (std::int64_t i = 0; i < n; ++i) {
      const auto image = static_cast<std::size_t>(rng.below(static_cast<std::uint64_t>(n)));
      ++drawn[point_of[image]];
      drawn_right[point_of[image]] += is_right[image] ? 1 : 0;
    }
    std::vector<std::int64_t> best(targets.size(), 0);
    std::int64_t answered = 0, right = 0;
    for (std::size_t p = 0; p < curve.size(); ++p) {
      answered += drawn[p];
      right += drawn_right[p];
      for (std::size_t t = 0; t < targets.size(); ++t) {
        if (static_cast<double>(right) >= targets[t] * static_cast<double>(answered)) best[t] = answered;
      }
    }
    for (std::size_t t = 0; t < targets.size(); ++t)
      coverages[t].push_back(static_cast<double>(best[t]) / static_cast<double>(n));
  }
  return coverages;
}

/// Evenly by the number of images; the first and the last stay.
std::vector<CoveragePoint> thinned(const std::vector<CoveragePoint>& curve, std::size_t most) {
  if (curve.size() <= most) return curve;
  std::vector<CoveragePoint> some;
  for (std::size_t i = 0; i < most; ++i) some.push_back(curve[i * (curve.size() - 1) / (most - 1)]);
  return some;
}

}  // namespace

std::vector<CoveragePoint> coverage_curve(std::span<const Answer> answers) {
  std::vector<const Answer*> sorted;
  for (const Answer& answer : answers) sorted.push_back(&answer);
  std::ranges::stable_sort(sorted, std::greater<>(), [](const Answer* answer) { return answer->confidence; });
  std::vector<CoveragePoint> curve;
  for (const Answer* answer : sorted) {
    if (curve.empty() || answer->confidence != curve.back().least_confidence) {
      const CoveragePoint before = curve.empty() ? CoveragePoint() : curve.back();
      curve.push_back({answer->confidence, before.answered, before.right});
    }
    ++curve.back().answered;
    curve.back().right += answer->right() ? 1 : 0;
  }
  return curve;
}

Coverage measure_coverage(std::span<const Answer> answers, std::uint64_t seed) {
  EXPECTS(!answers.empty(), "the coverage of no answers");
  const auto curve = coverage_curve(answers);
  Coverage coverage{.n = curve.back().answered, .curve = thinned(curve, kMostCoveragePoints), .at = {}};
  std::int64_t before = 0;
  for (const CoveragePoint& point : curve) {
    coverage.risk_area += static_cast<double>(point.answered - before) * (1.0 - point.accuracy());
    before = point.answered;
  }
  coverage.risk_area /= static_cast<double>(coverage.n);
  constexpr std::array<double, 3> kTargets{0.95, 0.99, 0.999};
  Rng rng(seed);
  auto coverages = resampled(curve, kTargets, rng);
  for (std::size_t t = 0; t < kTargets.size(); ++t) {
    std::ranges::sort(coverages[t]);
    CoverageAt at{.accuracy = kTargets[t], .interval = {quantile(coverages[t], 0.025), quantile(coverages[t], 0.975)}};
    if (const auto* point = widest(curve, kTargets[t])) {
      at.coverage = static_cast<double>(point->answered) / static_cast<double>(coverage.n);
      at.least_confidence = point->least_confidence;
    }
    coverage.at.push_back(at);
  }
  return coverage;
}

json::Value to_json(const Coverage& coverage) {
  json::Value at = json::Value::array();
  for (const CoverageAt& one : coverage.at) {
    at.push_back({{"accuracy", one.accuracy},
                  {"coverage", one.coverage},
                  {"interval", to_json(one.interval)},
                  {"least_confidence", one.coverage > 0.0 ? json::Value(one.least_confidence) : json::Value()}});
  }
  return {{"risk_area", coverage.risk_area}, {"at", std::move(at)}};
}

json::Value curve_json(const Coverage& coverage) {
  json::Value curve = json::Value::array();
  for (const CoveragePoint& point : coverage.curve) {
    curve.push_back({{"coverage", static_cast<double>(point.answered) / static_cast<double>(coverage.n)},
                     {"accuracy", point.accuracy()},
                     {"least_confidence", point.least_confidence}});
  }
  return curve;
}

double binomial_at_most(std::int64_t k, std::int64_t n, double p) {
  EXPECTS(n >= 0 && p > 0.0 && p < 1.0, "a binomial distribution");
  if (k >= n) return 1.0;
  if (k < 0) return 0.0;
  const auto kd = static_cast<double>(k), nd = static_cast<double>(n);
  // The tail on k's own side of the mean, where terms shrink; the other is what it leaves.
  const bool lower = kd <= nd * p;
  const double first = lower ? kd : kd + 1.0;
  const double log_term = std::lgamma(nd + 1) - std::lgamma(first + 1) - std::lgamma(nd - first + 1) +
                          first * std::log(p) + (nd - first) * std::log1p(-p);
  const double odds = p / (1.0 - p);
  double sum = 0.0, term = 1.0;
  for (double i = first; i >= 0.0 && i <= nd && term > 1e-18 * sum;) {
    sum += term;
    term *= lower ? i / ((nd - i + 1.0) * odds) : (nd - i) * odds / (i + 1.0);
    i += lower ? -1.0 : 1.0;
  }
  const double tail = std::min(1.0, sum * std::exp(log_term));
  return lower ? tail : 1.0 - tail;
}

Result<void> check_goal(const SelectiveGoal& goal) {
  if (!(goal.accuracy > 0.0 && goal.accuracy < 1.0))
    return fail(ErrorCode::InvalidArgument, "an accuracy of {} cannot be asked for: it is between 0 and 1",
                goal.accuracy);
  if (!(goal.certainty >= 0.0 && goal.certainty < 1.0))
    return fail(ErrorCode::InvalidArgument, "a certainty of {} cannot be asked for: it is from 0 to below 1",
                goal.certainty);
  return {};
}

Result<SelectiveFit> fit_least_confidence(std::span<const Answer> answers, const SelectiveGoal& goal) {
  if (answers.empty()) return fail(ErrorCode::InvalidArgument, "there is no answer to find a limit with");
  TRY_VOID(check_goal(goal));
  const auto curve = coverage_curve(answers);
  std::optional<CoveragePoint> found;
  if (goal.certainty > 0.0) {
    found = bisect(curve, goal);
  } else if (const auto* point = widest(curve, goal.accuracy)) {
    found = *point;
  }
  if (!found)
    return fail(ErrorCode::InvalidArgument, "no least confidence gives an accuracy of {:g}: {}", goal.accuracy,
                advice(curve, goal));
  return SelectiveFit{.least_confidence = found->least_confidence,
                      .n = curve.back().answered,
                      .answered = found->answered,
                      .right = found->right};
}

Result<std::vector<SelectiveFit>> fit_least_confidences(std::span<const Answer> answers,
                                                        const std::vector<std::string>& names,
                                                        const SelectiveGoal& goal) {
  std::vector<std::vector<Answer>> by_class(names.size());
  for (const Answer& answer : answers) by_class[static_cast<std::size_t>(answer.predicted)].push_back(answer);
  std::vector<SelectiveFit> fits;
  for (std::size_t c = 0; c < names.size(); ++c) {
    auto fit = fit_least_confidence(by_class[c], goal);
    if (!fit) return pass(fit, fmt::format("what is said to be '{}'", names[c]));
    fits.push_back(*fit);
  }
  return fits;
}

double fit_most_energy(std::vector<double> energies, double keep) {
  EXPECTS(!energies.empty() && keep > 0.0 && keep <= 1.0, "energies, and a share of them to keep");
  const std::size_t n = energies.size();
  // 0.7 of 10 is 7, though 0.7 * 10 may be a little more.
  const auto kept = static_cast<std::size_t>(std::ceil(keep * static_cast<double>(n) - 1e-9));
  const auto last = energies.begin() + static_cast<std::ptrdiff_t>(std::clamp<std::size_t>(kept, 1, n) - 1);
  std::ranges::nth_element(energies, last);
  return *last;
}

void judge(std::vector<Answer>& answers, const model::Logits& logits, const model::AbstentionPolicy& policy) {
  EXPECTS(answers.size() == static_cast<std::size_t>(logits.n), "a row an answer");
  for (std::size_t i = 0; i < answers.size(); ++i) {
    answers[i].doubt =
        policy.judge(answers[i].predicted, answers[i].confidence, model::energy(logits.row(static_cast<int>(i))));
  }
}

AbstentionOutcome abstention_outcome(std::span<const Answer> answers, const model::AbstentionPolicy& policy) {
  AbstentionOutcome outcome{.policy = policy, .n = static_cast<std::int64_t>(answers.size())};
  for (const Answer& answer : answers) {
    switch (answer.doubt) {
      case model::Doubt::Confidence: ++outcome.unsure; break;
      case model::Doubt::Energy: ++outcome.unfamiliar; break;
      case model::Doubt::None: outcome.right += answer.right() ? 1 : 0; break;
    }
  }
  return outcome;
}

json::Value to_json(const AbstentionOutcome& outcome) {
  const std::int64_t answered = outcome.answered();
  const auto share = [](std::int64_t part, std::int64_t whole) {
    return whole == 0 ? json::Value() : json::Value(static_cast<double>(part) / static_cast<double>(whole));
  };
  const auto interval = [](std::int64_t part, std::int64_t whole) {
    return whole == 0 ? json::Value() : to_json(wilson_interval(part, whole));
  };
  json::Value value = model::to_json(outcome.policy);
  value.update({{"answered", answered},
                {"unsure", outcome.unsure},
                {"unfamiliar", outcome.unfamiliar},
                {"coverage", share(answered, outcome.n)},
                {"coverage_interval", interval(answered, outcome.n)},
                {"accuracy", share(outcome.right, answered)},
                {"accuracy_interval", interval(outcome.right, answered)}});
  return value;
}

}  // namespace imago::evaluate
