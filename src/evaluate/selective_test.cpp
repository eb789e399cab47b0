// SPDX-License-Identifier: Apache-2.0
#include "evaluate/selective.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <numeric>
#include <optional>

#include "base/rng.hpp"

namespace imago::evaluate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Answer answer(double confidence, bool right, int predicted = 0) {
  return {.truth = right ? predicted : predicted + 1, .predicted = predicted, .confidence = confidence};
}

/// `steps` different confidences at most, right the more often the surer: 0 and 1 never at once.
std::vector<Answer> drawn(int n, std::uint64_t seed, int steps, double hardest = 0.5) {
  Rng rng(seed);
  std::vector<Answer> answers;
  for (int i = 0; i < n; ++i) {
    const double confidence = std::ceil(rng.uniform() * steps) / steps;
    answers.push_back(answer(confidence, rng.chance(hardest + (1.0 - hardest) * confidence)));
  }
  return answers;
}

/// The definition itself: of all limits that occur, the one that answers most and is right often enough.
std::optional<double> least_confidence_by_trying_all(const std::vector<Answer>& answers, double accuracy) {
  std::optional<double> best;
  std::size_t most = 0;
  for (const Answer& candidate : answers) {
    std::size_t n = 0, right = 0;
    for (const Answer& one : answers) {
      if (one.confidence < candidate.confidence) continue;
      ++n;
      right += one.right() ? 1 : 0;
    }
    if (static_cast<double>(right) / static_cast<double>(n) < accuracy || n <= most) continue;
    most = n;
    best = candidate.confidence;
  }
  return best;
}

TEST(Coverage, CountsImagesOfEqualConfidenceTogether) {
  const auto curve = coverage_curve(std::vector{answer(0.5, false), answer(0.9, true), answer(0.5, true)});
  ASSERT_EQ(curve.size(), 2U);
  EXPECT_EQ(curve[0].answered, 1);
  EXPECT_EQ(curve[1].answered, 3);
  EXPECT_EQ(curve[1].right, 2);
  EXPECT_EQ(curve[1].least_confidence, 0.5);
}

TEST(Coverage, FindsTheWidestThatReachesAnAccuracy) {
  std::vector<Answer> answers;
  for (int i = 0; i < 100; ++i) answers.push_back(answer(0.99 - 0.001 * i, i < 60 || i % 2 == 0));
  const auto coverage = measure_coverage(answers);
  ASSERT_EQ(coverage.at.size(), 3U);
  // 61 right, then one image in two: 61 of 61, but 62 of 63; 64 of 67, but 65 of 69.
  EXPECT_DOUBLE_EQ(coverage.at[1].coverage, 0.61);
  EXPECT_DOUBLE_EQ(coverage.at[0].coverage, 0.67);
  EXPECT_DOUBLE_EQ(coverage.at[2].coverage, 0.61);
  for (const auto& at : coverage.at) {
    EXPECT_LE(at.interval.low, at.coverage);
    EXPECT_GE(at.interval.high, at.coverage);
    EXPECT_LT(at.interval.high - at.interval.low, 0.4);
  }
  EXPECT_EQ(to_json(coverage)["at"][1]["accuracy"], 0.99);
}

TEST(Coverage, HasTheAreaOfItsDefinition) {
  // By hand: errors among the 1, 2, 3, 4 surest are 0, 1, 1, 2, so (0 + 1/2 + 1/3 + 2/4) / 4.
  const std::vector answers{answer(0.9, true), answer(0.8, false), answer(0.7, true), answer(0.6, false)};
  EXPECT_NEAR(measure_coverage(answers).risk_area, (0.5 + 1.0 / 3.0 + 0.5) / 4.0, 1e-12);
}

TEST(Coverage, IsNothingWhereNoLimitReaches) {
  const auto coverage = measure_coverage(std::vector{answer(0.9, false), answer(0.8, true)});
  EXPECT_EQ(coverage.at[1].coverage, 0.0);
  EXPECT_TRUE(to_json(coverage)["at"][1]["least_confidence"].is_null());
  EXPECT_EQ(measure_coverage(std::vector{answer(0.4, true)}).at[1].coverage, 1.0);
}

TEST(Coverage, KeepsItsEndsWhenThinned) {
  const auto answers = drawn(3000, 3, 1'000'000);
  const auto coverage = measure_coverage(answers);
  ASSERT_EQ(coverage.curve.size(), kMostCoveragePoints);
  EXPECT_EQ(coverage.curve.front().answered, 1);
  EXPECT_EQ(coverage.curve.back().answered, 3000);
  EXPECT_EQ(curve_json(coverage).back()["coverage"], 1.0);
}

TEST(LeastConfidence, IsWhatTryingAllFinds) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    for (const int steps : {1, 4, 1'000'000}) {
      const auto answers = drawn(static_cast<int>(1 + seed * 3), seed, steps);
      const auto expected = least_confidence_by_trying_all(answers, 0.9);
      const auto found = fit_least_confidence(answers, {.accuracy = 0.9, .certainty = 0.0});
      ASSERT_EQ(found.has_value(), expected.has_value()) << seed << " " << steps;
      ASSERT_EQ(found ? found->least_confidence : -1.0, expected.value_or(-1.0)) << seed << " " << steps;
    }
  }
}

TEST(LeastConfidence, WithCertaintyHoldsOnImagesItWasNotChosenOn) {
  // Right with chance equal to the confidence. Above a limit t the accuracy is (1 + t) / 2, so 0.9 needs t = 0.8.
  int broken = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const auto fit = fit_least_confidence(drawn(6000, seed, 1'000'000, 0.0), {.accuracy = 0.9, .certainty = 0.9});
    ASSERT_TRUE(fit.has_value());
    broken += fit->least_confidence < 0.8 ? 1 : 0;
    EXPECT_LT(fit->least_confidence, 0.95) << "not at the price of answering nothing";
  }
  EXPECT_LE(broken, 20) << "one in ten may break it";
}

TEST(LeastConfidence, SaysHowFarTheSurestGet) {
  const std::vector answers{answer(0.9, true), answer(0.8, true), answer(0.7, false)};
  EXPECT_THAT(
      fit_least_confidence(answers, {}).error().message,
      AllOf(HasSubstr("accuracy of 0.99"), HasSubstr("2 of 3 images could be answered"), HasSubstr("--certainty 0")));
  EXPECT_THAT(fit_least_confidence(std::vector{answer(0.9, false), answer(0.8, true)}, {}).error().message,
              HasSubstr("the best that a limit does is 50.00 %, of 2 of 2 images"));
  EXPECT_EQ(fit_least_confidence(answers, {.accuracy = 0.99, .certainty = 0.0})->least_confidence, 0.8);
  EXPECT_THAT(fit_least_confidence({}, {}).error().message, HasSubstr("no answer"));
  EXPECT_FALSE(fit_least_confidence(answers, {.accuracy = 1.0}));
  EXPECT_FALSE(fit_least_confidence(answers, {.certainty = 1.0}));
  EXPECT_FALSE(fit_least_confidence(std::vector{answer(0.9, false)}, {.certainty = 0.0}));
}

TEST(LeastConfidence, OfEachClassLooksAtWhatIsSaidToBeOfIt) {
  std::vector<Answer> answers;
  for (int i = 0; i < 20; ++i) {
    answers.push_back(answer(0.5 + 0.02 * i, true, 0));
    answers.push_back(answer(0.5 + 0.02 * i, i >= 10, 1));
  }
  const SelectiveGoal goal{.accuracy = 0.95, .certainty = 0.0};
  const auto fits = fit_least_confidences(answers, {"cat", "dog"}, goal).value();
  EXPECT_DOUBLE_EQ(fits[0].least_confidence, 0.5);
  EXPECT_DOUBLE_EQ(fits[1].least_confidence, 0.7);
  EXPECT_EQ(fits[1].answered, 10);
  EXPECT_THAT(fit_least_confidences(answers, {"cat", "dog", "frog"}, goal).error().message,
              HasSubstr("what is said to be 'frog': there is no answer"));
}

TEST(Binomial, IsScipys) {
  // scipy 1.17.1: binom.cdf(k, n, p).
  EXPECT_NEAR(binomial_at_most(0, 300, 0.01), 0.049040894071285854, 1e-12);
  EXPECT_NEAR(binomial_at_most(2, 10, 0.3), 0.3827827863999998, 1e-12);
  EXPECT_NEAR(binomial_at_most(40, 5000, 0.01), 0.0849926578860029, 1e-12);
  EXPECT_NEAR(binomial_at_most(7, 10, 0.3), 0.9984096136, 1e-12);
  EXPECT_NEAR(binomial_at_most(900, 1000, 0.92), 0.01348151495857113, 1e-12);
  EXPECT_NEAR(binomial_at_most(60, 5000, 0.01), 0.928847941487328, 1e-12);
  EXPECT_EQ(binomial_at_most(5, 5, 0.3), 1.0);
  EXPECT_EQ(binomial_at_most(-1, 5, 0.3), 0.0);
  EXPECT_EQ(binomial_at_most(0, 1'000'000, 0.01), 0.0) << "below what a double holds";
}

TEST(MostEnergy, KeepsAtLeastTheShareAskedFor) {
  EXPECT_EQ(fit_most_energy({5, 1, 4, 2, 3}, 0.8), 4.0);
  EXPECT_EQ(fit_most_energy({5, 1, 4, 2, 3}, 0.81), 5.0);
  EXPECT_EQ(fit_most_energy({5, 1, 4, 2, 3}, 1.0), 5.0);
  EXPECT_EQ(fit_most_energy({5, 1, 4, 2, 3}, 0.01), 1.0);
  EXPECT_EQ(fit_most_energy({2, 2, 2, 9}, 0.5), 2.0);
  EXPECT_EQ(fit_most_energy({7}, 0.5), 7.0);
  for (int n = 1; n <= 200; ++n) {
    std::vector<double> energies(static_cast<std::size_t>(n));
    std::iota(energies.begin(), energies.end(), 1.0);
    EXPECT_EQ(fit_most_energy(energies, 0.9), std::ceil(9 * n / 10.0 - 1e-6)) << n;
  }
}

TEST(Abstaining, CountsWhatIsLeft) {
  const model::Logits logits{4, 2, {9.0F, 1.0F, 0.1F, 0.2F, 5.0F, 4.9F, 1.0F, 6.0F}};
  const std::vector<std::size_t> entries{0, 1, 2, 3};
  auto answers = answers_of(logits, std::vector{0, 1, 0, 0}, entries, 1.0);
  const model::AbstentionPolicy policy{.least_confidence = {0.8}, .most_energy = -2.0};
  judge(answers, logits, policy);
  std::vector<model::Doubt> doubts;
  for (const Answer& one : answers) doubts.push_back(one.doubt);
  EXPECT_THAT(doubts,
              ElementsAre(model::Doubt::None, model::Doubt::Energy, model::Doubt::Confidence, model::Doubt::None));
  const auto value = to_json(abstention_outcome(answers, policy));
  EXPECT_EQ(value["answered"], 2);
  EXPECT_EQ(value["unsure"], 1);
  EXPECT_EQ(value["unfamiliar"], 1);
  EXPECT_EQ(value["coverage"], 0.5);
  EXPECT_EQ(value["accuracy"], 0.5);
  EXPECT_EQ(value["most_energy"], -2.0);
  judge(answers, logits, {.least_confidence = {1.0}, .most_energy = {}});
  EXPECT_TRUE(to_json(abstention_outcome(answers, policy))["accuracy"].is_null()) << "nothing is answered";
}

}  // namespace
}  // namespace imago::evaluate
