// SPDX-License-Identifier: Apache-2.0
// Which labels are probably wrong: confident learning (Northcutt, Jiang, Chuang: "Confident Learning: Estimating
// Uncertainty in Dataset Labels", JAIR 70, 2021).
#pragma once

#include <span>
#include <vector>

#include "base/error.hpp"

namespace imago::data {

struct LabelIssue {
  std::size_t image = 0;
  int given = 0;
  int suggested = 0;        ///< the class the model is confident of
  double confidence = 0.0;  ///< p(given): smaller is worse
  double margin = 0.0;      ///< p(suggested) - p(given), in (0, 1]
};

struct LabelCheck {
  std::vector<double> thresholds;                   ///< t_j: mean p(j) over the images labelled j
  std::vector<std::vector<std::size_t>> confident;  ///< C[i][j]: labelled i, confidently j
  std::vector<std::vector<double>> joint;           ///< Q[i][j]: share of images labelled i that are j; sums to 1
  std::vector<LabelIssue> issues;                   ///< worst first
};

/// @param probabilities [n, classes], each row from a model that has not seen that image. @param labels n.
///
/// Section 3.1: an image labelled i is counted in C[i][j] when j is the likeliest of the classes whose probability
/// reaches their threshold t_j (equation 1); Q is C with rows scaled to the number of images of each label, divided by
/// n (equation 3). Section 3.2, "prune by noise rate": for each i != j, the round(n Q[i][j]) images labelled i with the
/// largest p(j) - p(i) are issues, if that margin is above 0; an image found for several j keeps the j of the largest.
///
/// Issues are ordered by p(given), the least first ("self-confidence"): a network that takes a cat for a dog still
/// gives the cat a chance, but a ship labelled cat has none. Of CIFAR-10's flipped labels half as many again were among
/// the first than by margin (docs/check.md). InvalidArgument when the sizes disagree, or a label is out of range.
Result<LabelCheck> find_label_issues(std::span<const float> probabilities, std::span<const int> labels, int classes);

}  // namespace imago::data
