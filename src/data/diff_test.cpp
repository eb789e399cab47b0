// SPDX-License-Identifier: Apache-2.0
#include "data/diff.hpp"

#include <gmock/gmock.h>

namespace imago::data {
namespace {

using ::testing::IsEmpty;

Entry entry(std::string path, std::string content, int label, Split split = Split::Train) {
  return {std::move(path), std::move(content), label, split, 8, 6, ""};
}

TEST(Diff, TellsWhatWasAddedRemovedRelabelledAndMoved) {
  const Manifest before{
      "pets", {"cat", "dog"}, {entry("a", "1", 0), entry("b", "2", 0), entry("c", "3", 1), entry("d", "4", 1)}, {}};
  const Manifest after{"pets",
                       {"bird", "cat", "dog"},
                       {entry("a", "1", 1), entry("b", "2", 2), entry("d", "4", 2, Split::Test), entry("e", "5", 0)},
                       {}};
  const auto diff = diff_datasets(before, after);
  ASSERT_EQ(diff.added.size(), 1U);
  EXPECT_EQ(diff.added[0].path, "e");
  EXPECT_EQ(diff.added[0].label, "bird");
  ASSERT_EQ(diff.removed.size(), 1U);
  EXPECT_EQ(diff.removed[0].path, "c");
  ASSERT_EQ(diff.relabelled.size(), 1U);
  EXPECT_EQ(diff.relabelled[0].before.label, "cat");
  EXPECT_EQ(diff.relabelled[0].after.label, "dog");
  ASSERT_EQ(diff.moved.size(), 1U);
  EXPECT_EQ(diff.moved[0].after.split, Split::Test);
  EXPECT_EQ(diff.unchanged, 1U) << "labels compare by name, not by number";
}

TEST(Diff, TakesARenamedFileForTheSame) {
  const Manifest before{"a", {"cat"}, {entry("old", "1", 0)}, {}};
  const Manifest after{"b", {"cat"}, {entry("new", "1", 0)}, {}};
  const auto diff = diff_datasets(before, after);
  EXPECT_THAT(diff.added, IsEmpty());
  EXPECT_THAT(diff.removed, IsEmpty());
  EXPECT_EQ(diff.unchanged, 1U);
}

TEST(Diff, MatchesCopiesByPathFirst) {
  const Manifest before{"a", {"cat", "dog"}, {entry("x", "1", 0), entry("y", "1", 1)}, {}};
  const Manifest after{"a", {"cat", "dog"}, {entry("y", "1", 1)}, {}};
  const auto diff = diff_datasets(before, after);
  EXPECT_THAT(diff.relabelled, IsEmpty());
  ASSERT_EQ(diff.removed.size(), 1U);
  EXPECT_EQ(diff.removed[0].path, "x");
  EXPECT_EQ(diff_datasets(after, before).added[0].path, "x");
}

}  // namespace
}  // namespace imago::data
