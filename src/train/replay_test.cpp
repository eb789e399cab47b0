// SPDX-License-Identifier: Apache-2.0
#include "train/replay.hpp"

#include <gmock/gmock.h>

#include <set>

#include "train/test_split.hpp"

namespace imago::train {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Replay : public testing::SplitTest {
 protected:
  Replay() : parent(manifest_) { parent.name = "before"; }

  [[nodiscard]] Result<ReplayRows> choose(std::size_t images, std::uint64_t seed = 1) const {
    return replay_rows(open(data::Split::Train), manifest_, parent, images, seed);
  }

  data::Manifest parent;  // as it was before some images came
};

TEST_F(Replay, TakesEveryNewImageAndASampleOfTheOld) {
  std::erase_if(parent.entries, [](const data::Entry& entry) { return entry.path == "03" || entry.path == "17"; });
  const auto none = choose(0).value();
  EXPECT_THAT(none.rows, ElementsAre(3U, 17U));
  EXPECT_EQ(none.fresh, 2U);
  const auto some = choose(5).value();
  EXPECT_EQ(some.rows.size(), 7U);
  EXPECT_EQ(std::set(some.rows.begin(), some.rows.end()).size(), 7U);
  EXPECT_THAT(some.rows, ::testing::IsSupersetOf({3U, 17U}));
  EXPECT_EQ(choose(5).value().rows, some.rows);
  EXPECT_NE(choose(5, 2).value().rows, some.rows);
  EXPECT_EQ(choose(1000).value().rows.size(), std::size_t{testing::kTrainImages});
}

TEST_F(Replay, KnowsAnImageByItsContentAndTheNameOfItsLabel) {
  parent.labels = {"b", "a"};  // the same labels in another order
  for (auto& entry : parent.entries) {
    entry.label = 1 - entry.label;
    entry.path = "elsewhere/" + entry.path;
  }
  EXPECT_THAT(choose(5).error().message, HasSubstr("nothing new to learn from: every training image of set@"));
  parent.entries[4].label = 1 - parent.entries[4].label;  // was given another label since
  EXPECT_THAT(choose(0).value().rows, ElementsAre(4U));
}

TEST_F(Replay, DoesNotCallAnImageNewThatTheParentHadInAnotherSplit) {
  for (auto& entry : parent.entries) entry.split = data::Split::Test;
  EXPECT_FALSE(choose(5));
}

}  // namespace
}  // namespace imago::train
