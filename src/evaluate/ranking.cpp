// SPDX-License-Identifier: Apache-2.0
#include "evaluate/ranking.hpp"

#include <algorithm>
#include <numeric>

#include "base/error.hpp"

namespace imago::evaluate {
namespace {

using Points = std::vector<std::pair<double, double>>;

/// About `most` of them, the first and the last among them.
Points thinned(const Points& points, std::size_t most) {
  if (points.size() <= most || most < 2) return points;
  Points some;
  for (std::size_t i = 0; i < most; ++i) some.push_back(points[i * (points.size() - 1) / (most - 1)]);
  return some;
}

}  // namespace

Ranking::Ranking(std::span<const double> scores, const std::vector<bool>& positive) {
  EXPECTS(scores.size() == positive.size(), "a score an image");
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  for (std::size_t i = 0; i < order.size(); ++i) {
    (positive[order[i]] ? positives_ : negatives_) += 1.0;
    if (i + 1 == order.size() || scores[order[i + 1]] != scores[order[i]])
      counts_.push_back({positives_, static_cast<double>(i + 1)});
  }
}

std::optional<double> Ranking::roc_auc() const {
  if (positives_ == 0.0 || negatives_ == 0.0) return std::nullopt;
  double area = 0.0;
  Count before{0.0, 0.0};
  for (const Count& count : counts_) {
    const double negatives = (count.all - count.positives) - (before.all - before.positives);
    area += negatives * 0.5 * (count.positives + before.positives);
    before = count;
  }
  return area / (positives_ * negatives_);
}

std::optional<double> Ranking::average_precision() const {
  if (positives_ == 0.0) return std::nullopt;
  double sum = 0.0, before = 0.0;
  for (const Count& count : counts_) {
    sum += (count.positives - before) * (count.positives / count.all);
    before = count.positives;
  }
  return sum / positives_;
}

Points Ranking::roc_curve(std::size_t most) const {
  if (positives_ == 0.0 || negatives_ == 0.0) return {};
  Points points{{0.0, 0.0}};
  for (const Count& count : counts_)
    points.emplace_back((count.all - count.positives) / negatives_, count.positives / positives_);
  return thinned(points, most);
}

Points Ranking::precision_recall_curve(std::size_t most) const {
  if (positives_ == 0.0) return {};
  Points points{{0.0, 1.0}};
  for (const Count& count : counts_) {
    points.emplace_back(count.positives / positives_, count.positives / count.all);
    if (count.positives == positives_) break;  // from here on precision only falls
  }
  return thinned(points, most);
}

ProbabilityColumns probability_columns(const model::Logits& logits, double temperature) {
  ProbabilityColumns columns(static_cast<std::size_t>(logits.classes),
                             std::vector<double>(static_cast<std::size_t>(logits.n)));
  for (int i = 0; i < logits.n; ++i) {
    const auto row = model::softmax(logits.row(i), temperature);
    for (std::size_t c = 0; c < row.size(); ++c) columns[c][static_cast<std::size_t>(i)] = row[c];
  }
  return columns;
}

Ranking rank_class(std::span<const double> column, std::span<const int> labels, int which) {
  std::vector<bool> positive(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) positive[i] = labels[i] == which;
  return {column, positive};
}

std::vector<ClassCurves> class_curves(const model::Logits& logits, std::span<const int> labels,
                                      const std::vector<std::string>& names, double temperature, std::size_t most) {
  const auto columns = probability_columns(logits, temperature);
  std::vector<ClassCurves> curves;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const Ranking ranking = rank_class(columns[c], labels, static_cast<int>(c));
    curves.push_back({names[c], ranking.roc_curve(most), ranking.precision_recall_curve(most)});
  }
  return curves;
}

}  // namespace imago::evaluate
