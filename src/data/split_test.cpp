// SPDX-License-Identifier: Apache-2.0
#include "data/split.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/hash.hpp"

namespace imago::data {
namespace {

std::vector<Entry> entries(int classes, int each) {
  std::vector<Entry> made;
  for (int label = 0; label < classes; ++label)
    for (int i = 0; i < each; ++i)
      made.push_back(
          {fmt::format("{}/{:04}", label, i), sha256(fmt::format("{} {}", label, i)), label, Split::Train, 1, 1, ""});
  return made;
}

std::size_t count(const std::vector<Entry>& all, int label, Split split) {
  return static_cast<std::size_t>(
      std::count_if(all.begin(), all.end(), [&](const Entry& e) { return e.label == label && e.split == split; }));
}

TEST(AssignSplits, TakesTheSameShareOfEveryClass) {
  auto all = entries(3, 100);
  assign_splits(all, {.validation = 0.1, .test = 0.2}, 42);
  for (int label = 0; label < 3; ++label) {
    EXPECT_EQ(count(all, label, Split::Train), 70U);
    EXPECT_EQ(count(all, label, Split::Validation), 10U);
    EXPECT_EQ(count(all, label, Split::Test), 20U);
  }
}

TEST(AssignSplits, DependsOnTheSeedAndTheContentButNotOnTheOrder) {
  const auto splits = [](std::vector<Entry> all, std::uint64_t seed) {
    assign_splits(all, {}, seed);
    std::map<std::string, Split> by_path;
    for (const auto& entry : all) by_path[entry.path] = entry.split;
    return by_path;
  };
  auto backwards = entries(2, 50);
  std::reverse(backwards.begin(), backwards.end());
  EXPECT_EQ(splits(entries(2, 50), 1), splits(backwards, 1));
  EXPECT_NE(splits(entries(2, 50), 1), splits(entries(2, 50), 2));
}

TEST(AssignSplits, KeepsCopiesOfOneImageTogether) {
  auto all = entries(1, 200);
  for (std::size_t i = 0; i < all.size(); ++i) all[i].sha256 = sha256(fmt::format("{}", i / 2));
  assign_splits(all, {.validation = 0.25, .test = 0.25}, 3);
  for (std::size_t i = 0; i < all.size(); i += 2) EXPECT_EQ(all[i].split, all[i + 1].split);
  EXPECT_EQ(count(all, 0, Split::Test), 50U);
}

TEST(AssignSplits, AlwaysLeavesATrainingImage) {
  auto all = entries(2, 1);
  assign_splits(all, {.validation = 0.4, .test = 0.5}, 1);
  EXPECT_EQ(count(all, 0, Split::Train), 1U);
  EXPECT_EQ(count(all, 1, Split::Train), 1U);
}

TEST(AssignSplits, DoesNotTouchAGivenTestOrValidationSplit) {
  auto all = entries(1, 100);
  for (std::size_t i = 0; i < 30; ++i) all[i].split = Split::Test;
  assign_splits(all, {.validation = 0.1, .test = 0.5}, 1);
  EXPECT_EQ(count(all, 0, Split::Test), 30U);
  EXPECT_EQ(count(all, 0, Split::Validation), 7U);
  auto again = entries(1, 100);
  again[0].split = Split::Validation;
  assign_splits(again, {.validation = 0.5, .test = 0.1}, 1);
  EXPECT_EQ(count(again, 0, Split::Validation), 1U);
}

TEST(Splitter, KeepsGroupsTogetherAndTheSharesClose) {
  ClassContents contents{.label = 0, .copies = std::vector<std::uint32_t>(200, 1), .groups = {}};
  for (std::uint32_t i = 0; i < 200; ++i) contents.groups.push_back(i < 120 ? 1 + i / 4 : 0);  // 30 groups of 4
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto splits = Splitter({.validation = 0.1, .test = 0.2}, seed).split(contents);
    for (std::size_t i = 0; i < 120; ++i) EXPECT_EQ(splits[i], splits[i / 4 * 4]);
    EXPECT_EQ(std::count(splits.begin(), splits.end(), Split::Test), 40);
    EXPECT_EQ(std::count(splits.begin(), splits.end(), Split::Validation), 20);
  }
}

TEST(Splitter, LetsTheFirstClassDecideForAGroupOfSeveral) {
  ClassContents contents{.label = 0, .copies = std::vector<std::uint32_t>(50, 1), .groups = {}};
  for (std::uint32_t i = 0; i < 50; ++i) contents.groups.push_back(i + 1);
  Splitter splitter({.validation = 0.2, .test = 0.2}, 1);
  const auto first = splitter.split(contents);
  contents.label = 1;  // the same pictures, labelled otherwise
  EXPECT_EQ(splitter.split(contents), first);
}

TEST(Splitter, LeavesAGroupInTrainingThatIsMoreThanTheShare) {
  ClassContents contents{.label = 0, .copies = std::vector<std::uint32_t>(20, 1), .groups = {}};
  for (std::uint32_t i = 0; i < 20; ++i) contents.groups.push_back(i < 15 ? 1 : 0);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto splits = Splitter({.validation = 0, .test = 0.2}, seed).split(contents);
    EXPECT_EQ(splits[0], Split::Train);
    EXPECT_EQ(std::count(splits.begin(), splits.end(), Split::Test), 4);
  }
}

}  // namespace
}  // namespace imago::data
