// SPDX-License-Identifier: Apache-2.0
#include "evaluate/paired.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>

#include "evaluate/quantile.hpp"

namespace imago::evaluate {
namespace {

constexpr double kLevel = 0.05;
/// Draws that a bootstrap may cost, about a second.
constexpr std::int64_t kMostDraws = 100'000'000;

double share(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

/// P(X <= k) of X binomial (n, 1/2): the term of k by logarithms, those below by their ratios.
double binomial_half(std::int64_t k, std::int64_t n) {
  const auto kd = static_cast<double>(k), nd = static_cast<double>(n);
  const double log_term = std::lgamma(nd + 1) - std::lgamma(kd + 1) - std::lgamma(nd - kd + 1) - nd * std::log(2.0);
  double sum = 0.0, term = 1.0;
  for (double i = kd; i >= 0.0 && term > 0.0; --i) {
    sum += term;
    term *= i / (nd - i + 1.0);
  }
  return sum * std::exp(log_term);
}

/// How many of n draws hit what has chance p, by jumping from hit to hit.
std::int64_t draw_hits(std::int64_t n, double p, Rng& rng) {
  if (p >= 1.0) return n;
  const double log_miss = std::log1p(-p);
  std::int64_t hits = 0;
  for (double at = 0.0;; ++hits) {
    at += 1.0 + std::floor(std::log(1.0 - rng.uniform()) / log_miss);
    if (at > static_cast<double>(n)) return hits;
  }
}

void count(PairedCounts& counts, const Answer& a, const Answer& b) {
  if (a.right()) {
    ++(b.right() ? counts.both : counts.broken);
  } else {
    ++(b.right() ? counts.fixed : counts.neither);
  }
}

void finish(SliceChange& change) {
  change.accuracy_a = share(change.counts.both + change.counts.broken, change.counts.n());
  change.accuracy_b = share(change.counts.both + change.counts.fixed, change.counts.n());
  change.p = mcnemar(change.counts.broken, change.counts.fixed).p_exact;
}

std::vector<SliceChange> changes_of(const Column& column, std::span<const Answer> a, std::span<const Answer> b) {
  EXPECTS(column.value_of.size() == a.size(), "a value an answer");
  std::vector<SliceChange> parts;
  for (const auto& value : column.values) parts.push_back({.column = column.name, .value = value, .counts = {}});
  for (std::size_t i = 0; i < a.size(); ++i)
    count(parts[static_cast<std::size_t>(column.value_of[i])].counts, a[i], b[i]);
  std::erase_if(parts, [](const SliceChange& part) { return part.counts.n() == 0; });
  if (parts.size() < 2) return {};
  for (SliceChange& part : parts) finish(part);
  std::ranges::stable_sort(parts, {}, [](const SliceChange& part) { return part.counts.difference(); });
  return parts;
}

/// Holm's step-down: the smallest p has to beat level / m, the next level / (m - 1), until one does not.
void mark_significant(std::vector<SliceChange>& changes) {
  std::vector<std::size_t> order(changes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return changes[i].p; });
  for (std::size_t k = 0; k < order.size(); ++k) {
    if (changes[order[k]].p > kLevel / static_cast<double>(order.size() - k)) return;
    changes[order[k]].significant = true;
  }
}

/// Where one is right and the other wrong, those first that the wrong one was surest of.
std::vector<std::size_t> disagreements(std::span<const Answer> right, std::span<const Answer> wrong) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < right.size(); ++i) {
    if (right[i].right() && !wrong[i].right()) found.push_back(i);
  }
  std::ranges::stable_sort(found, std::greater<>(), [&](std::size_t i) { return wrong[i].confidence; });
  return found;
}

Result<void> check(std::span<const Answer> a, std::span<const Answer> b) {
  if (a.empty() || a.size() != b.size())
    return fail(ErrorCode::InvalidArgument, "{} answers cannot be compared with {}", a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].entry != b[i].entry || a[i].truth != b[i].truth)
      return fail(ErrorCode::InvalidArgument, "answer {} of one is to another image than that of the other", i);
  }
  return {};
}

std::string points(double difference) { return fmt::format("{:+.2f}", 100.0 * difference); }

/// "; worse on cat (-4.00 points), dog (-2.00 points)": what is more than chance.
std::string lost_classes(const Comparison& comparison, const std::string& than) {
  std::string text;
  for (const SliceChange& change : comparison.changes) {
    if (change.column != "class" || !change.significant || change.counts.difference() >= 0.0) continue;
    text += fmt::format("{}{} ({} points)", text.empty() ? "; worse than " + than + " on " : ", ", change.value,
                        points(change.counts.difference()));
  }
  return text;
}

}  // namespace

double PairedCounts::difference() const { return share(fixed - broken, n()); }

McNemar mcnemar(std::int64_t broken, std::int64_t fixed) {
  const std::int64_t n = broken + fixed;
  if (n == 0) return {};
  const double apart = static_cast<double>(std::abs(broken - fixed)) - 1.0;
  const double statistic = apart * apart / static_cast<double>(n);
  return {.p_exact = std::min(1.0, 2.0 * binomial_half(std::min(broken, fixed), n)),
          .statistic = statistic,
          .p_chi_square = std::erfc(std::sqrt(statistic / 2.0))};
}

Interval bootstrap_difference(const PairedCounts& counts, Rng& rng, int resamples) {
  EXPECTS(counts.n() > 0 && resamples > 0, "images to draw from");
  const std::int64_t disagree = counts.broken + counts.fixed;
  if (disagree == 0) return {};
  std::vector<double> differences(static_cast<std::size_t>(resamples));
  for (double& difference : differences) {
    const std::int64_t drawn = draw_hits(counts.n(), share(disagree, counts.n()), rng);
    std::int64_t fixed = 0;
    for (std::int64_t i = 0; i < drawn; ++i) {
      if (rng.below(static_cast<std::uint64_t>(disagree)) < static_cast<std::uint64_t>(counts.fixed)) ++fixed;
    }
    difference = share(2 * fixed - drawn, counts.n());
  }
  std::ranges::sort(differences);
  return {.low = quantile(differences, 0.025), .high = quantile(differences, 0.975)};
}

Result<Comparison> compare(std::span<const Answer> a, std::span<const Answer> b, std::span<const Column> columns,
                           std::uint64_t seed) {
  TRY_VOID(check(a, b));
  Comparison comparison;
  PairedCounts& counts = comparison.counts;
  for (std::size_t i = 0; i < a.size(); ++i) count(counts, a[i], b[i]);
  comparison.accuracy_a = share(counts.both + counts.broken, counts.n());
  comparison.accuracy_b = share(counts.both + counts.fixed, counts.n());
  comparison.interval_a = wilson_interval(counts.both + counts.broken, counts.n());
  comparison.interval_b = wilson_interval(counts.both + counts.fixed, counts.n());
  comparison.test = mcnemar(counts.broken, counts.fixed);
  Rng rng(seed);
  const auto affordable = kMostDraws / std::max<std::int64_t>(1, counts.broken + counts.fixed);
  comparison.difference_interval =
      bootstrap_difference(counts, rng, static_cast<int>(std::clamp<std::int64_t>(affordable, 1000, 10'000)));
  for (const Column& column : columns) {
    auto parts = changes_of(column, a, b);
    comparison.changes.insert(comparison.changes.end(), parts.begin(), parts.end());
  }
  mark_significant(comparison.changes);
  comparison.fixed = disagreements(b, a);
  comparison.broken = disagreements(a, b);
  return comparison;
}

std::vector<SliceChange> head_of_each_column(std::span<const SliceChange> changes, std::size_t most) {
  std::vector<SliceChange> some;
  std::map<std::string, std::size_t> taken;
  for (const SliceChange& change : changes) {
    if (taken[change.column]++ < most) some.push_back(change);
  }
  return some;
}

json::Value to_json(const Comparison& comparison) {
  json::Value changes = json::Value::array();
  for (const SliceChange& change : comparison.changes) {
    changes.push_back({{"column", change.column},
                       {"value", change.value},
                       {"n", change.counts.n()},
                       {"accuracy_a", change.accuracy_a},
                       {"accuracy_b", change.accuracy_b},
                       {"difference", change.counts.difference()},
                       {"fixed", change.counts.fixed},
                       {"broken", change.counts.broken},
                       {"p", change.p},
                       {"significant", change.significant}});
  }
  const PairedCounts& counts = comparison.counts;
  return {{"a", {{"accuracy", comparison.accuracy_a}, {"interval", to_json(comparison.interval_a)}}},
          {"b", {{"accuracy", comparison.accuracy_b}, {"interval", to_json(comparison.interval_b)}}},
          {"n", counts.n()},
          {"both_right", counts.both},
          {"fixed", counts.fixed},
          {"broken", counts.broken},
          {"both_wrong", counts.neither},
          {"difference", counts.difference()},
          {"difference_interval", to_json(comparison.difference_interval)},
          {"mcnemar",
           {{"p_exact", comparison.test.p_exact},
            {"statistic", comparison.test.statistic},
            {"p_chi_square", comparison.test.p_chi_square}}},
          {"changes", std::move(changes)}};
}

std::string verdict(const Comparison& comparison, const std::string& name_a, const std::string& name_b) {
  const PairedCounts& counts = comparison.counts;
  const bool shown = comparison.test.p_exact < kLevel;
  const bool b_wins = counts.difference() > 0.0;
  const std::string& winner = b_wins ? name_b : name_a;
  const std::string& loser = b_wins ? name_a : name_b;
  const std::string head = shown ? fmt::format("{} is better than {}", winner, loser)
                                 : fmt::format("No difference is shown between {} and {}", name_a, name_b);
  return fmt::format(
      "{}: {:.2f} % and {:.2f} % of the same {} images, {} points (95 % interval {} to {}, McNemar p = {:.2g}), {} "
      "fixed and {} broken{}.",
      head, 100.0 * comparison.accuracy_a, 100.0 * comparison.accuracy_b, counts.n(), points(counts.difference()),
      points(comparison.difference_interval.low), points(comparison.difference_interval.high), comparison.test.p_exact,
      counts.fixed, counts.broken, lost_classes(comparison, name_a));
}

}  // namespace imago::evaluate
