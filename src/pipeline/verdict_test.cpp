// SPDX-License-Identifier: Apache-2.0
#include "pipeline/verdict.hpp"

#include <gmock/gmock.h>

#include "base/files.hpp"
#include "package/test_package.hpp"

namespace imago::pipeline {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

data::Manifest pets() {
  data::Manifest manifest{.name = "pets", .labels = {"cat", "dog"}};
  manifest.entries = {{.path = "a", .sha256 = "11", .label = 0, .split = data::Split::Train},
                      {.path = "b", .sha256 = "22", .label = 0, .split = data::Split::Test},
                      {.path = "c", .sha256 = "33", .label = 1, .split = data::Split::Test}};
  return manifest;
}

TEST(TestDigest, IsOfTheImagesAndTheirLabelsAlone) {
  const auto digest = digest_of(pets(), data::Split::Test);
  auto same = pets();
  same.name = "animals";
  std::swap(same.entries[1], same.entries[2]);
  same.entries[1].path = "elsewhere";
  same.entries.push_back({.path = "new", .sha256 = "44", .label = 1, .split = data::Split::Train});
  EXPECT_EQ(digest_of(same, data::Split::Test), digest);
  auto relabelled = pets();
  relabelled.entries[2].label = 0;
  EXPECT_NE(digest_of(relabelled, data::Split::Test), digest);
  auto more = pets();
  more.entries[0].split = data::Split::Test;
  EXPECT_NE(digest_of(more, data::Split::Test), digest);
}

TEST(FrozenSplit, IsTestOrValidationWhereThereIsNone) {
  EXPECT_EQ(frozen_split(pets()), data::Split::Test);
  auto without = pets();
  without.entries.resize(1);
  EXPECT_EQ(frozen_split(without), data::Split::Validation);
}

class Judge : public testing::Test {
 protected:
  /// A champion that was measured on the test images of pets(); its network cannot be loaded.
  void register_champion(double accuracy) {
    const fs::path staged = folder_.path() / "staged";
    package::seal_test_package(staged, package::pets_spec(), "weights", {{"test", {{"accuracy", accuracy}}}},
                               {{"test_digest", digest_of(pets(), data::Split::Test)}});
    ASSERT_TRUE(workspace_->models().register_package("pets", staged, "run-1", {"champion"}).has_value());
  }
  Verdict judge_at(double accuracy, double margin = 0.0) {
    auto verdict = judge(*workspace_, {.model = "pets", .accuracy = accuracy, .margin = margin}, pets(), {});
    EXPECT_TRUE(verdict.has_value()) << verdict.error().message;
    return verdict.value_or(Verdict{});
  }

  TemporaryDirectory folder_ = TemporaryDirectory::create(fs::temp_directory_path(), "verdict").value();
  std::unique_ptr<Workspace> workspace_ = Workspace::open(folder_.path()).value();
};

TEST_F(Judge, MakesTheFirstVersionChampion) {
  const auto verdict = judge_at(0.1);
  EXPECT_TRUE(verdict.champion);
  EXPECT_THAT(verdict.reason, HasSubstr("first version"));
  EXPECT_FALSE(verdict.previous_accuracy.has_value());
}

TEST_F(Judge, PromotesWhatIsNotWorseOnTheSameImages) {
  register_champion(0.75);
  const auto same = judge_at(0.75);
  EXPECT_TRUE(same.champion);
  EXPECT_EQ(same.reason, "champion: test accuracy 0.7500, version 1 has 0.7500");
  EXPECT_EQ(same.previous_accuracy, 0.75);
  EXPECT_FALSE(judge_at(0.74).champion);
  EXPECT_THAT(judge_at(0.74).reason, StartsWith("challenger: test accuracy 0.7400"));
}

TEST_F(Judge, LetsAsMuchBeLostAsTheMarginSays) {
  register_champion(0.75);
  EXPECT_TRUE(judge_at(0.74, 0.02).champion);
  EXPECT_THAT(judge_at(0.74, 0.02).reason, HasSubstr("0.02 may be lost"));
  EXPECT_FALSE(judge_at(0.72, 0.02).champion);
}

}  // namespace
}  // namespace imago::pipeline
