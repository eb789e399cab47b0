// SPDX-License-Identifier: Apache-2.0
#include "data/check_labels.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace imago::data {
namespace {

struct Rows {
  std::span<const float> probabilities;
  std::span<const int> labels;
  std::size_t classes;

  [[nodiscard]] double at(std::size_t image, std::size_t label) const {
    return static_cast<double>(probabilities[image * classes + label]);
  }
  [[nodiscard]] std::size_t label(std::size_t image) const { return static_cast<std::size_t>(labels[image]); }
};

std::vector<double> class_thresholds(const Rows& rows) {
  std::vector<double> sum(rows.classes);
  std::vector<std::size_t> images(rows.classes);
  for (std::size_t i = 0; i < rows.labels.size(); ++i) {
    sum[rows.label(i)] += rows.at(i, rows.label(i));
    ++images[rows.label(i)];
  }
  // A class without images has no confident ones either.
  for (std::size_t j = 0; j < rows.classes; ++j) sum[j] = images[j] > 0 ? sum[j] / static_cast<double>(images[j]) : 2;
  return sum;
}

std::vector<std::vector<std::size_t>> confident_counts(const Rows& rows, const std::vector<double>& thresholds) {
  std::vector counts(rows.classes, std::vector<std::size_t>(rows.classes));
  for (std::size_t i = 0; i < rows.labels.size(); ++i) {
    std::size_t best = rows.classes;
    for (std::size_t j = 0; j < rows.classes; ++j) {
      // The mean of equal numbers may come out a little above them.
      if (rows.at(i, j) < thresholds[j] - 1e-9) continue;
      if (best == rows.classes || rows.at(i, j) > rows.at(i, best)) best = j;
    }
    if (best < rows.classes) ++counts[rows.label(i)][best];
  }
  return counts;
}

std::vector<std::vector<double>> estimate_joint(const Rows& rows,
                                                const std::vector<std::vector<std::size_t>>& confident) {
  std::vector joint(rows.classes, std::vector<double>(rows.classes));
  std::vector<std::size_t> images(rows.classes);
  for (std::size_t i = 0; i < rows.labels.size(); ++i) ++images[rows.label(i)];
  for (std::size_t i = 0; i < rows.classes; ++i) {
    double row = 0;
    for (const std::size_t count : confident[i]) row += static_cast<double>(count);
    const double share = static_cast<double>(images[i]) / static_cast<double>(rows.labels.size());
    for (std::size_t j = 0; j < rows.classes; ++j)
      joint[i][j] = row > 0 ? static_cast<double>(confident[i][j]) / row * share : (i == j ? share : 0.0);
  }
  return joint;
}

/// The images labelled `given` that are likeliest `other`.
void prune(const Rows& rows, const std::vector<std::size_t>& images, int given, int other, std::size_t most,
           std::map<std::size_t, LabelIssue>& issues) {
  std::vector<LabelIssue> found;
  for (const std::size_t image : images) {
    const double confidence = rows.at(image, static_cast<std::size_t>(given));
    const double margin = rows.at(image, static_cast<std::size_t>(other)) - confidence;
    if (margin > 0) found.push_back({image, given, other, confidence, margin});
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const LabelIssue& a, const LabelIssue& b) { return a.margin > b.margin; });
  found.resize(std::min(found.size(), most));
  for (const auto& issue : found) {
    const auto [at, is_new] = issues.emplace(issue.image, issue);
    if (!is_new && issue.margin > at->second.margin) at->second = issue;
  }
}

}  // namespace

Result<LabelCheck> find_label_issues(std::span<const float> probabilities, std::span<const int> labels, int classes) {
  if (classes < 2 || probabilities.size() != labels.size() * static_cast<std::size_t>(classes))
    return fail(ErrorCode::InvalidArgument, "{} probabilities do not make {} images of {} classes",
                probabilities.size(), labels.size(), classes);
  for (const int label : labels) {
    if (label < 0 || label >= classes)
      return fail(ErrorCode::InvalidArgument, "label {}, but {} classes", label, classes);
  }
  LabelCheck check;
  if (labels.empty()) return check;
  const Rows rows{probabilities, labels, static_cast<std::size_t>(classes)};
  check.thresholds = class_thresholds(rows);
  check.confident = confident_counts(rows, check.thresholds);
  check.joint = estimate_joint(rows, check.confident);

  std::vector<std::vector<std::size_t>> by_label(rows.classes);
  for (std::size_t i = 0; i < labels.size(); ++i) by_label[rows.label(i)].push_back(i);
  std::map<std::size_t, LabelIssue> issues;
  for (std::size_t i = 0; i < rows.classes; ++i) {
    for (std::size_t j = 0; j < rows.classes; ++j) {
      const double noisy = check.joint[i][j] * static_cast<double>(labels.size());
      if (i != j)
        prune(rows, by_label[i], static_cast<int>(i), static_cast<int>(j), static_cast<std::size_t>(std::lround(noisy)),
              issues);
    }
  }
  for (const auto& [image, issue] : issues) check.issues.push_back(issue);
  std::stable_sort(check.issues.begin(), check.issues.end(),
                   [](const LabelIssue& a, const LabelIssue& b) { return a.confidence < b.confidence; });
  return check;
}

}  // namespace imago::data
