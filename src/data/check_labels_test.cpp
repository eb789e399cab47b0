// SPDX-License-Identifier: Apache-2.0
#include "data/check_labels.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <set>

#include "base/rng.hpp"

namespace imago::data {
namespace {

/// Twelve images of three classes: image 2 is labelled 0 and looks like 1, image 7 the other way round. The figures
/// expected of it are equations 1 to 3 of the paper worked out in numpy.
constexpr std::array<float, 36> kProbabilities{
    0.90F, 0.05F, 0.05F, 0.80F, 0.15F, 0.05F, 0.15F, 0.80F, 0.05F, 0.70F, 0.20F, 0.10F,  //
    0.10F, 0.85F, 0.05F, 0.20F, 0.70F, 0.10F, 0.05F, 0.90F, 0.05F, 0.88F, 0.10F, 0.02F,  //
    0.05F, 0.05F, 0.90F, 0.10F, 0.10F, 0.80F, 0.05F, 0.15F, 0.80F, 0.30F, 0.35F, 0.35F};
constexpr std::array<int, 12> kLabels{0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2};

TEST(ConfidentLearning, GivesWhatThePapersEquationsGiveByHand) {
  const auto check = find_label_issues(kProbabilities, kLabels, 3).value();
  EXPECT_NEAR(check.thresholds[0], 0.6375, 1e-6);
  EXPECT_NEAR(check.thresholds[1], 0.6375, 1e-6);
  EXPECT_NEAR(check.thresholds[2], 0.7125, 1e-6);
  EXPECT_EQ(check.confident, (std::vector<std::vector<std::size_t>>{{3, 1, 0}, {1, 3, 0}, {0, 0, 3}}));
  const std::vector<std::vector<double>> joint{{3 / 12.0, 1 / 12.0, 0}, {1 / 12.0, 3 / 12.0, 0}, {0, 0, 4 / 12.0}};
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) EXPECT_NEAR(check.joint[i][j], joint[i][j], 1e-12) << i << ", " << j;
  }
  ASSERT_EQ(check.issues.size(), 2);
  EXPECT_EQ(check.issues[0].image, 7);
  EXPECT_EQ(check.issues[0].given, 1);
  EXPECT_EQ(check.issues[0].suggested, 0);
  EXPECT_NEAR(check.issues[0].margin, 0.78, 1e-6);
  EXPECT_NEAR(check.issues[0].confidence, 0.10, 1e-6);
  EXPECT_EQ(check.issues[1].image, 2);
  EXPECT_NEAR(check.issues[1].margin, 0.65, 1e-6);
}

/// The first image has the larger margin, but its label is the second likeliest class.
TEST(ConfidentLearning, PutsTheLabelThatIsOutOfTheQuestionFirst) {
  std::vector<float> probabilities{0.08F, 0.92F, 0.00F, 0.02F, 0.83F, 0.15F};
  std::vector<int> labels{0, 0};
  for (int i = 0; i < 60; ++i) {
    labels.push_back(i % 3);
    for (int j = 0; j < 3; ++j) probabilities.push_back(j == i % 3 ? 0.80F : 0.10F);
  }
  const auto issues = find_label_issues(probabilities, labels, 3)->issues;
  ASSERT_EQ(issues.size(), 2);
  EXPECT_EQ(issues[0].image, 1);
  EXPECT_LT(issues[0].margin, issues[1].margin);
}

TEST(ConfidentLearning, SuspectsNothingWhereTheModelAgrees) {
  std::vector<float> probabilities;
  std::vector<int> labels;
  for (int i = 0; i < 100; ++i) {
    labels.push_back(i % 2);
    for (int j = 0; j < 2; ++j) probabilities.push_back(j == i % 2 ? 0.9F : 0.1F);
  }
  EXPECT_TRUE(find_label_issues(probabilities, labels, 2)->issues.empty());
}

/// A model that is right about 90 % of the time, 2 % of labels flipped: the number is estimated and most are found.
TEST(ConfidentLearning, FindsFlippedLabelsAmongNoisyProbabilities) {
  constexpr int kClasses = 10;
  constexpr std::size_t kImages = 5000;
  Rng rng(11);
  std::vector<float> probabilities;
  std::vector<int> labels;
  std::set<std::size_t> flipped;
  for (std::size_t i = 0; i < kImages; ++i) {
    const int truth = static_cast<int>(rng.below(kClasses));
    int label = truth;
    if (i % 50 == 0) {
      label = (truth + 1 + static_cast<int>(rng.below(kClasses - 1))) % kClasses;
      flipped.insert(i);
    }
    std::array<double, kClasses> scores{};
    double sum = 0;
    for (int j = 0; j < kClasses; ++j) {
      scores[static_cast<std::size_t>(j)] = std::exp(rng.normal() + (j == truth ? 4.0 : 0.0));
      sum += scores[static_cast<std::size_t>(j)];
    }
    for (const double score : scores) probabilities.push_back(static_cast<float>(score / sum));
    labels.push_back(label);
  }
  const auto check = find_label_issues(probabilities, labels, kClasses).value();
  std::size_t right = 0;
  for (std::size_t i = 0; i < std::min(flipped.size(), check.issues.size()); ++i)
    right += flipped.contains(check.issues[i].image) ? 1 : 0;
  EXPECT_GE(check.issues.size(), flipped.size() * 3 / 4);
  EXPECT_LE(check.issues.size(), flipped.size() * 5 / 4) << "the number is estimated, not given";
  EXPECT_GE(right, flipped.size() * 7 / 10) << "precision at the number planted";
}

TEST(ConfidentLearning, CopesWithAClassThatNobodyHas) {
  const std::vector<float> probabilities{0.6F, 0.3F, 0.1F, 0.2F, 0.1F, 0.7F};
  const auto check = find_label_issues(probabilities, std::vector<int>{0, 0}, 3);
  ASSERT_TRUE(check);
  for (const auto& issue : check->issues) EXPECT_EQ(issue.given, 0);
}

TEST(ConfidentLearning, RefusesNumbersThatDoNotFit) {
  EXPECT_EQ(find_label_issues(kProbabilities, kLabels, 4).error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(find_label_issues(kProbabilities, std::vector<int>(12, 3), 3).error().message, "label 3, but 3 classes");
}

}  // namespace
}  // namespace imago::data
