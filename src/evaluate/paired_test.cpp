// SPDX-License-Identifier: Apache-2.0
#include "evaluate/paired.hpp"

#include <gmock/gmock.h>

namespace imago::evaluate {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

/// Answers to images of class 0; 'x' is wrong. The later an image, the surer.
std::vector<Answer> answers(std::string_view marks) {
  std::vector<Answer> result;
  for (std::size_t i = 0; i < marks.size(); ++i) {
    const int said = marks[i] == 'x' ? 1 : 0;
    result.push_back({.entry = i, .truth = 0, .predicted = said, .confidence = 0.5 + 0.001 * static_cast<double>(i)});
  }
  return result;
}

std::string repeat(std::string_view text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

TEST(McNemar, IsOneWhereTheTwoNeverDisagree) {
  EXPECT_EQ(mcnemar(0, 0).p_exact, 1.0);
  EXPECT_EQ(mcnemar(0, 0).p_chi_square, 1.0);
}

TEST(McNemar, StaysFiniteForAHundredThousandDisagreements) {
  const auto found = mcnemar(50'000, 50'200);
  EXPECT_NEAR(found.p_exact, found.p_chi_square, 1e-4);
  EXPECT_GT(found.p_exact, 0.5);
}

TEST(BootstrapDifference, IsTheSameForTheSameSeed) {
  const PairedCounts counts{80, 5, 10, 5};
  Rng one(3), same(3), other(4);
  const auto first = bootstrap_difference(counts, one, 200);
  const auto again = bootstrap_difference(counts, same, 200);
  EXPECT_EQ(first.low, again.low);
  EXPECT_EQ(first.high, again.high);
  EXPECT_NE(other.state(), same.state());
}

TEST(BootstrapDifference, IsNothingWhereTheTwoNeverDisagree) {
  Rng rng(1);
  const auto found = bootstrap_difference({90, 0, 0, 10}, rng);
  EXPECT_EQ(found.low, 0.0);
  EXPECT_EQ(found.high, 0.0);
}

TEST(BootstrapDifference, KnowsNoDoubtWhereOneIsAlwaysRightAndTheOtherNever) {
  Rng rng(1);
  const auto found = bootstrap_difference({0, 0, 20, 0}, rng);
  EXPECT_EQ(found.low, 1.0);
  EXPECT_EQ(found.high, 1.0);
}

TEST(Compare, CountsWhoIsRightAndNamesTheImages) {
  const auto comparison = compare(answers("..xxx."), answers(".x..x."), {}, 1).value();
  EXPECT_EQ(comparison.counts.both, 2);
  EXPECT_EQ(comparison.counts.broken, 1);
  EXPECT_EQ(comparison.counts.fixed, 2);
  EXPECT_EQ(comparison.counts.neither, 1);
  EXPECT_THAT(comparison.fixed, ElementsAre(3U, 2U));  // those first that A was surest of
  EXPECT_THAT(comparison.broken, ElementsAre(1U));
  EXPECT_NEAR(comparison.accuracy_a, 0.5, 1e-15);
  EXPECT_NEAR(comparison.accuracy_b, 4.0 / 6, 1e-15);
  EXPECT_NEAR(comparison.counts.difference(), 1.0 / 6, 1e-15);
}

TEST(Compare, ShowsWhereItBecameWorseAndWhetherThatIsMoreThanChance) {
  // 40 cats of which B loses 20, 40 dogs of which it gains 20, and 4 owls of which it loses one.
  const auto a = answers(repeat(".", 40) + repeat("x", 40) + "....");
  const auto b = answers(repeat(".x", 20) + repeat(".x", 20) + "...x");
  Column column{.name = "class", .values = {"cat", "dog", "owl"}, .value_of = {}};
  for (int i = 0; i < 84; ++i) column.value_of.push_back(i / 40);
  const auto comparison = compare(a, b, std::vector{column}, 1).value();
  ASSERT_THAT(comparison.changes, SizeIs(3));
  EXPECT_EQ(comparison.changes[0].value, "cat");
  EXPECT_DOUBLE_EQ(comparison.changes[0].counts.difference(), -0.5);
  EXPECT_TRUE(comparison.changes[0].significant);
  EXPECT_EQ(comparison.changes[1].value, "owl");
  EXPECT_FALSE(comparison.changes[1].significant);
  EXPECT_EQ(comparison.changes[2].value, "dog");
  EXPECT_TRUE(comparison.changes[2].significant);
  const auto sentence = verdict(comparison, "A", "B");
  EXPECT_THAT(sentence, StartsWith("No difference is shown between A and B: "));
  EXPECT_THAT(sentence, HasSubstr("; worse than A on cat (-50.00 points)."));
  EXPECT_THAT(sentence, Not(HasSubstr("owl")));
}

TEST(Compare, AsksMoreOfEachPartTheMoreThereAre) {
  // Nine images lost have p = 0.0039: below 0.05 / 2, but not below 0.05 / 61.
  const auto a = answers(repeat(".", 9) + repeat(".", 60));
  const auto b = answers(repeat("x", 9) + repeat(".", 60));
  Column alone{.name = "source", .values = {"s", "t"}, .value_of = std::vector<int>(69, 1)};
  std::fill_n(alone.value_of.begin(), 9, 0);
  EXPECT_TRUE(compare(a, b, std::vector{alone}, 1).value().changes[0].significant);
  Column many = alone;
  for (int i = 9; i < 69; ++i) {
    many.values.push_back(std::to_string(i));
    many.value_of[static_cast<std::size_t>(i)] = static_cast<int>(many.values.size()) - 1;
  }
  EXPECT_FALSE(compare(a, b, std::vector{many}, 1).value().changes[0].significant);
}

TEST(Compare, ShowsPeopleTheHeadOfEachColumn) {
  std::vector<SliceChange> changes;
  for (const auto& [column, count] : {std::pair{"class", 5}, std::pair{"source", 2}}) {
    for (int i = 0; i < count; ++i) changes.push_back({.column = column, .value = std::to_string(i), .counts = {}});
  }
  const auto some = head_of_each_column(changes, 3);
  ASSERT_THAT(some, SizeIs(5));
  EXPECT_EQ(some[2].value, "2");
  EXPECT_EQ(some[3].column, "source");
}

TEST(Compare, RefusesAnswersToOtherImages) {
  auto other = answers("..");
  other[1].entry = 7;
  EXPECT_THAT(compare(answers(".."), other, {}, 1).error().message, HasSubstr("another image"));
  EXPECT_THAT(compare(answers(".."), answers("..."), {}, 1).error().message, HasSubstr("2 answers"));
  EXPECT_EQ(compare({}, {}, {}, 1).error().code, ErrorCode::InvalidArgument);
}

TEST(Verdict, IsOneSentenceWithAllThatCounts) {
  const auto comparison = compare(answers(repeat("x", 40) + repeat(".", 60)),
                                  answers(repeat(".", 30) + repeat("x", 10) + repeat(".", 60)), {}, 1)
                              .value();
  const auto sentence = verdict(comparison, "m:1", "m:2");
  EXPECT_THAT(sentence,
              StartsWith("m:2 is better than m:1: 60.00 % and 90.00 % of the same 100 images, +30.00 points"));
  EXPECT_THAT(sentence, EndsWith("McNemar p = 1.9e-09), 30 fixed and 0 broken."));  // 2 * 2^-30
  EXPECT_THAT(verdict(compare(answers(repeat(".", 9)), answers(repeat("x", 9)), {}, 1).value(), "m:1", "m:2"),
              StartsWith("m:1 is better than m:2: "));
}

}  // namespace
}  // namespace imago::evaluate
