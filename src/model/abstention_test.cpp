// SPDX-License-Identifier: Apache-2.0
#include "model/abstention.hpp"

#include <gmock/gmock.h>

#include <limits>

namespace imago::model {
namespace {

using testing::HasSubstr;

TEST(Energy, IsScipysLogsumexpTurnedRound) {
  // scipy 1.17.1: -logsumexp(np.float64(row)).
  EXPECT_NEAR(energy(std::vector{1.5F, -2.0F, 0.25F}), -1.7751302622476353, 1e-12);
  EXPECT_NEAR(energy(std::vector{10.0F, 9.5F, -30.0F, 2.0F}), -10.474285774224956, 1e-12);
  EXPECT_EQ(energy(std::vector{3.0F}), -3.0);
  EXPECT_NEAR(energy(std::vector{7.0F, 7.0F}), -7.693147180559945, 1e-12);
}

TEST(Energy, StaysFiniteWhereExpDoesNot) {
  EXPECT_EQ(energy(std::vector{1000.0F, -1000.0F}), -1000.0);
  EXPECT_EQ(energy(std::vector{-2000.0F, -1000.0F}), 1000.0);
}

TEST(Energy, OfOneOutputTreatsBothClassesAlike) {
  EXPECT_NEAR(energy(std::vector{0.0F, 4.0F}), energy(std::vector{0.0F, -4.0F}), 1e-12);
  EXPECT_NEAR(energy(std::vector{0.0F, 4.0F}), energy(std::vector{-2.0F, 2.0F}), 1e-12);
  EXPECT_GT(energy(std::vector{0.0F, 0.5F}), energy(std::vector{0.0F, -4.0F}));
}

TEST(Abstention, JudgesByTheClassThatIsSaid) {
  const AbstentionPolicy each{.least_confidence = {0.5, 0.9}, .most_energy = {}};
  EXPECT_EQ(each.judge(0, 0.6, 0.0), Doubt::None);
  EXPECT_EQ(each.judge(1, 0.6, 0.0), Doubt::Confidence);
  EXPECT_EQ(each.judge(1, 0.9, 0.0), Doubt::None) << "a limit that is just reached is reached";
  const AbstentionPolicy all{.least_confidence = {0.7}, .most_energy = {}};
  EXPECT_EQ(all.judge(5, 0.69, 0.0), Doubt::Confidence);
}

TEST(Abstention, NamesWhatIsUnfamiliarFirst) {
  const AbstentionPolicy both{.least_confidence = {0.7}, .most_energy = -2.0};
  EXPECT_EQ(both.judge(0, 0.2, -1.0), Doubt::Energy);
  EXPECT_EQ(both.judge(0, 0.2, -2.0), Doubt::Confidence);
  EXPECT_EQ(both.judge(0, 0.9, -2.0), Doubt::None);
  EXPECT_EQ(AbstentionPolicy().judge(0, 0.0, 1e9), Doubt::None);
  EXPECT_TRUE(AbstentionPolicy().empty());
}

TEST(Abstention, SurvivesBeingWritten) {
  for (const AbstentionPolicy& policy :
       {AbstentionPolicy(), AbstentionPolicy{.least_confidence = {0.25}, .most_energy = {}},
        AbstentionPolicy{.least_confidence = {0.25, 0.5, 1.0}, .most_energy = -3.5, .fitted = {{"accuracy", 0.99}}}}) {
    const auto read = abstention_from_json(to_json(policy));
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(read->least_confidence, policy.least_confidence);
    EXPECT_EQ(read->most_energy, policy.most_energy);
    EXPECT_EQ(read->fitted, policy.fitted);
  }
  EXPECT_EQ(to_json(AbstentionPolicy{.least_confidence = {0.25}, .most_energy = {}})["least_confidence"], 0.25);
  EXPECT_EQ(doubt_from("energy").value(), Doubt::Energy);
}

TEST(Abstention, RefusesLimitsThatAreNone) {
  const auto error_of = [](const json::Value& value) {
    const auto read = abstention_from_json(value);
    return read ? "" : read.error().message;
  };
  EXPECT_EQ(check_abstention({.least_confidence = {0.5, 0.5}, .most_energy = {}}, 3).error().message,
            "2 least confidences, but 3 classes");
  EXPECT_THAT(error_of({{"least_confidence", 1.5}}), HasSubstr("1.5, not from 0 to 1"));
  EXPECT_THAT(error_of({{"least_confidence", "much"}}), HasSubstr("least_confidence"));
  EXPECT_THAT(error_of({{"most_energy", "much"}}), HasSubstr("most_energy"));
  EXPECT_FALSE(check_abstention({.least_confidence = {}, .most_energy = std::numeric_limits<double>::infinity()}, 3));
  EXPECT_FALSE(doubt_from("weather"));
}

}  // namespace
}  // namespace imago::model
