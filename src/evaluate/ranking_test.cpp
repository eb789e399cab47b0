// SPDX-License-Identifier: Apache-2.0
#include "evaluate/ranking.hpp"

#include <gmock/gmock.h>

namespace imago::evaluate {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

// The example of scikit-learn's roc_curve and average_precision_score: 0.75 and 0.83.
const std::vector<double> kScores{0.1, 0.4, 0.35, 0.8};
const std::vector<bool> kPositive{false, false, true, true};

TEST(Ranking, HasTheAreasOfScikitLearnsExample) {
  const Ranking ranking(kScores, kPositive);
  EXPECT_DOUBLE_EQ(ranking.roc_auc().value(), 0.75);
  EXPECT_NEAR(ranking.average_precision().value(), 0.8333333333333333, 1e-15);
}

TEST(Ranking, DrawsTheCurveFromCornerToCorner) {
  EXPECT_THAT(Ranking(kScores, kPositive).roc_curve(),
              ElementsAre(Pair(0.0, 0.0), Pair(0.0, 0.5), Pair(0.5, 0.5), Pair(0.5, 1.0), Pair(1.0, 1.0)));
  EXPECT_THAT(Ranking(kScores, kPositive).precision_recall_curve(),
              ElementsAre(Pair(0.0, 1.0), Pair(0.5, 1.0), Pair(0.5, 0.5), Pair(1.0, 2.0 / 3)));
}

TEST(Ranking, CountsEqualScoresAsOneStep) {
  const Ranking ranking(std::vector<double>{0.5, 0.5, 0.5, 0.5}, kPositive);
  EXPECT_DOUBLE_EQ(ranking.roc_auc().value(), 0.5);
  EXPECT_DOUBLE_EQ(ranking.average_precision().value(), 0.5);
  EXPECT_THAT(ranking.roc_curve(), ElementsAre(Pair(0.0, 0.0), Pair(1.0, 1.0)));
}

TEST(Ranking, HasNoAreaWhereThereIsNothingToTellApart) {
  const Ranking none(kScores, {false, false, false, false});
  EXPECT_FALSE(none.roc_auc());
  EXPECT_FALSE(none.average_precision());
  EXPECT_THAT(none.roc_curve(), IsEmpty());
  EXPECT_THAT(none.precision_recall_curve(), IsEmpty());
  const Ranking all(kScores, {true, true, true, true});
  EXPECT_FALSE(all.roc_auc());
  EXPECT_DOUBLE_EQ(all.average_precision().value(), 1.0);
}

TEST(Ranking, ThinsLongCurvesAndKeepsTheirEnds) {
  std::vector<double> scores;
  std::vector<bool> positive;
  for (int i = 0; i < 5000; ++i) {
    scores.push_back(i);
    positive.push_back(i % 3 == 0);
  }
  const auto curve = Ranking(scores, positive).roc_curve(100);
  EXPECT_THAT(curve, SizeIs(100));
  EXPECT_THAT(curve.front(), Pair(0.0, 0.0));
  EXPECT_THAT(curve.back(), Pair(1.0, 1.0));
}

TEST(ClassCurves, AreOneForEachClassAgainstTheRest) {
  const model::Logits logits{3, 2, {2, 0, 0, 2, 1, 0}};
  const auto curves = class_curves(logits, std::vector{0, 1, 1}, {"cat", "dog"}, 1.0);
  ASSERT_THAT(curves, SizeIs(2));
  EXPECT_EQ(curves[1].label, "dog");
  EXPECT_THAT(curves[0].roc, ElementsAre(Pair(0.0, 0.0), Pair(0.0, 1.0), Pair(0.5, 1.0), Pair(1.0, 1.0)));
}

}  // namespace
}  // namespace imago::evaluate
