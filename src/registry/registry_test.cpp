// SPDX-License-Identifier: Apache-2.0
#include "registry/registry.hpp"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>

#include "base/files.hpp"
#include "package/test_package.hpp"

namespace imago::registry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class RegistryTest : public testing::Test {
 protected:
  /// A sealed package in a folder of its own; `weights` tells packages apart.
  fs::path staged(const std::string& weights, double accuracy = 0.5) {
    const fs::path path = folder_.path() / fmt::format("staged-{}", weights);
    package::seal_test_package(path, package::pets_spec(), weights, {{"test", {{"accuracy", accuracy}}}},
                               {{"run", "r"}});
    return path;
  }
  ModelVersion registered(const std::string& weights, const std::vector<std::string>& aliases, double accuracy = 0.5) {
    auto version = registry_.register_package("pets", staged(weights, accuracy), "run-1", aliases);
    EXPECT_TRUE(version.has_value()) << version.error().message;
    return version ? *version : ModelVersion();
  }
  [[nodiscard]] fs::path models() const { return folder_.path() / "models"; }

  TemporaryDirectory folder_ = TemporaryDirectory::create(fs::temp_directory_path(), "registry-test").value();
  std::string url_ = fmt::format("sqlite:{}", (folder_.path() / "imago.db").string());
  std::unique_ptr<store::Database> database_ = store::Database::open(url_).value();
  Registry registry_{*database_, models()};
};

TEST_F(RegistryTest, NumbersVersionsAndMovesAliases) {
  const auto first = registered("one", {"champion"}, 0.75);
  EXPECT_EQ(first.version, 1);
  EXPECT_EQ(first.test_accuracy, 0.75);
  EXPECT_THAT(first.aliases, ElementsAre("champion", "latest"));
  EXPECT_FALSE(fs::exists(folder_.path() / "staged-one")) << "moved, not copied";
  EXPECT_EQ(registered("two", {"challenger"}).version, 2);
  const auto all = registry_.list("pets").value();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].version, 2);
  EXPECT_THAT(all[0].aliases, ElementsAre("challenger", "latest"));
  EXPECT_THAT(all[1].aliases, ElementsAre("champion"));
  EXPECT_EQ(all[1].run, "run-1");
  EXPECT_EQ(registry_.open(all[1]).value().digest, first.digest);
  EXPECT_TRUE(registry_.list("others")->empty());
}

TEST_F(RegistryTest, ResolvesEveryFormOfReference) {
  registered("one", {"champion"});
  registered("two", {});
  const auto version = [&](const std::string& reference) { return registry_.resolve(reference).value().version; };
  EXPECT_EQ(version("pets"), 1) << "the champion";
  EXPECT_EQ(version("pets:2"), 2);
  EXPECT_EQ(version("pets@champion"), 1);
  EXPECT_EQ(version("pets:latest"), 2);
  for (const std::string reference : {"pets:3", "pets:0", "pets:99999999999", "pets@gone"})
    EXPECT_EQ(registry_.resolve(reference).error().code, ErrorCode::NotFound) << reference;
  for (const std::string reference : {"", "pets:", "../pets", ":1", "Pets"})
    EXPECT_EQ(registry_.resolve(reference).error().code, ErrorCode::InvalidArgument) << reference;
  EXPECT_THAT(registry_.resolve("cifar10").error().message, HasSubstr("pets:2 @latest, pets:1 @champion"));
}

TEST_F(RegistryTest, TakesTheNewestWhenThereIsNoChampion) {
  EXPECT_THAT(registry_.resolve("pets").error().message, HasSubstr("no models yet"));
  registered("one", {});
  registered("two", {});
  EXPECT_EQ(registry_.resolve("pets").value().version, 2);
}

TEST_F(RegistryTest, KeepsAbstentionBesideTheVersionAndNotInItsPackage) {
  const auto first = registered("one", {"champion"});
  registered("two", {"champion"});
  EXPECT_TRUE(registry_.resolve("pets:1")->abstention.empty());
  const model::AbstentionPolicy policy{
      .least_confidence = {0.9}, .most_energy = -1.5, .fitted = {{"data", "pets@1:val"}}};
  const auto changed = registry_.set_abstention(first, policy, "99 % on validation").value();
  EXPECT_EQ(changed.digest, first.digest);
  EXPECT_THAT(changed.abstention.least_confidence, ElementsAre(0.9));
  EXPECT_EQ(changed.abstention_change, 1);
  EXPECT_TRUE(registry_.open(changed).has_value()) << "the package is as it was";
  EXPECT_TRUE(registry_.resolve("pets:2")->abstention.empty()) << "each version has its own";
  EXPECT_EQ(registry_.list("")->at(1).abstention.most_energy, -1.5);

  ASSERT_TRUE(registry_.set_abstention(changed, {}, "not needed").has_value());
  EXPECT_TRUE(registry_.resolve("pets:1")->abstention.empty());
  EXPECT_EQ(registry_.resolve("pets:1")->abstention_change, 2);
  const auto changes = registry_.abstention_history("pets", 1).value();
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[0].reason, "not needed");
  EXPECT_EQ(changes[1].policy.fitted["data"], "pets@1:val");
  EXPECT_TRUE(registry_.abstention_history("pets", 2)->empty());
}

TEST_F(RegistryTest, RefusesAnAbstentionThatDoesNotFitTheClasses) {
  const auto version = registered("one", {"champion"});
  const auto refused = registry_.set_abstention(version, {.least_confidence = {0.1, 0.2, 0.3}, .most_energy = {}});
  EXPECT_EQ(refused.error().message, "3 least confidences, but 2 classes");
  EXPECT_EQ(registry_.resolve("pets")->abstention_change, 0);
}

TEST_F(RegistryTest, WritesDownWhereAnAliasHasBeen) {
  registered("one", {"champion"});
  registered("two", {"champion"});
  ASSERT_TRUE(registry_.set_alias("pets", "champion", 1, "version 2 is worse on dogs").has_value());
  EXPECT_EQ(registry_.resolve("pets")->version, 1);
  const auto moves = registry_.alias_history("pets", "champion").value();
  ASSERT_EQ(moves.size(), 3U);
  EXPECT_EQ(moves[0].version, 1);
  EXPECT_EQ(moves[0].reason, "version 2 is worse on dogs");
  EXPECT_EQ(moves[1].version, 2);
  EXPECT_EQ(moves[2].version, 1);
  EXPECT_EQ(registry_.set_alias("pets", "champion", 3).error().code, ErrorCode::NotFound);
  EXPECT_EQ(registry_.set_alias("cars", "champion", 1).error().code, ErrorCode::NotFound);
  EXPECT_EQ(registry_.set_alias("pets", "7", 1).error().code, ErrorCode::InvalidArgument) << "would shadow version 7";
  EXPECT_EQ(registry_.alias_history("pets", "champion")->size(), 3U);
}

TEST_F(RegistryTest, RollsBackMoveByMoveAndNotToAndFro) {
  for (const char* weights : {"one", "two", "three"}) registered(weights, {"champion"});
  auto change = registry_.roll_back("pets", "champion", "worse on dogs").value();
  EXPECT_EQ(change.version, 2);
  EXPECT_EQ(change.previous, 3);
  EXPECT_EQ(registry_.resolve("pets:champion")->version, 2);
  EXPECT_EQ(registry_.alias_history("pets", "champion")->front().reason, "rolled back from 3: worse on dogs");
  EXPECT_EQ(registry_.roll_back("pets", "champion")->version, 1);
  const auto end = registry_.roll_back("pets", "champion");
  EXPECT_EQ(end.error().code, ErrorCode::InvalidArgument);
  EXPECT_THAT(end.error().message, HasSubstr("nothing to go back to"));
  EXPECT_EQ(registry_.resolve("pets:champion")->version, 1) << "a refusal moves nothing";
  EXPECT_EQ(registry_.alias_history("pets", "champion")->size(), 5U);
}

TEST_F(RegistryTest, RollsBackToWhatWasThereBeforeAPromotionThatFollowedARollback) {
  for (const char* weights : {"one", "two", "three", "four"}) registered(weights, {});
  for (const int version : {1, 2, 3}) ASSERT_TRUE(registry_.set_alias("pets", "base", version).has_value());
  EXPECT_EQ(registry_.roll_back("pets", "base")->version, 2);
  EXPECT_EQ(registry_.set_alias("pets", "base", 4)->previous, 2);
  EXPECT_EQ(registry_.roll_back("pets", "base")->version, 2) << "3 was taken back: it is not returned to";
  EXPECT_EQ(registry_.roll_back("pets", "base")->version, 1);
}

TEST_F(RegistryTest, PromotingByHandToAnEarlierVersionCountsAsAMoveOfItsOwn) {
  for (const char* weights : {"one", "two"}) registered(weights, {"champion"});
  ASSERT_TRUE(registry_.set_alias("pets", "champion", 1, "rolled back by hand").has_value());
  EXPECT_EQ(registry_.roll_back("pets", "champion")->version, 2);
  EXPECT_EQ(registry_.roll_back("pets", "champion")->version, 1);
  EXPECT_FALSE(registry_.roll_back("pets", "champion").has_value());
}

TEST_F(RegistryTest, PromotingToTheVersionThatIsThereWritesNoMove) {
  registered("one", {"champion"});
  EXPECT_EQ(registry_.set_alias("pets", "champion", 1)->previous, 1);
  EXPECT_EQ(registry_.alias_history("pets", "champion")->size(), 1U);
  EXPECT_EQ(registry_.set_alias("pets", "base", 1)->previous, std::nullopt);
}

TEST_F(RegistryTest, HasNothingToRollBackForStrangers) {
  EXPECT_EQ(registry_.roll_back("pets", "champion").error().code, ErrorCode::NotFound);
  registered("one", {});
  EXPECT_EQ(registry_.roll_back("pets", "champion").error().code, ErrorCode::NotFound);
  EXPECT_EQ(registry_.roll_back("Pets", "champion").error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(registry_.roll_back("pets", "../x").error().code, ErrorCode::InvalidArgument);
}

TEST_F(RegistryTest, RefusesBadNamesAndBrokenPackagesAndChangesNothing) {
  const auto path = staged("one");
  for (const std::string name : {"", "..", "a/b", "Pets", "-x", "caf\xC3\xA9"})
    EXPECT_EQ(registry_.register_package(name, path, "", {}).error().code, ErrorCode::InvalidArgument) << name;
  ASSERT_TRUE(write_file(path / "model.onnx", "onnX").has_value());
  EXPECT_EQ(registry_.register_package("pets", path, "", {}).error().code, ErrorCode::Corrupt);
  EXPECT_TRUE(fs::exists(path));
  EXPECT_TRUE(registry_.list()->empty());
}

TEST_F(RegistryTest, RefusesAPackageThatWasAlteredOrExchanged) {
  const auto version = registered("one", {});
  const fs::path folder = models() / "pets" / "1";
  fs::rename(folder, folder_.path() / "aside");
  fs::rename(staged("other"), folder);
  EXPECT_EQ(registry_.open(version).error().code, ErrorCode::Corrupt);
  EXPECT_THAT(registry_.open(version).error().message, HasSubstr("another package"));
}

TEST_F(RegistryTest, PutsThePackageBackWhenTheRowsCannotBeWritten) {
  registered("one", {"champion"});
  ASSERT_TRUE(database_->execute("DROP TABLE alias_history", {}).has_value());
  const auto path = staged("two");
  EXPECT_FALSE(registry_.register_package("pets", path, "", {}).has_value());
  EXPECT_TRUE(package::open_package(path).has_value());
  EXPECT_EQ(registry_.list("pets")->size(), 1U);
  EXPECT_FALSE(fs::exists(models() / "pets" / "2"));
}

TEST_F(RegistryTest, TakesAwayWhatACrashBetweenRenameAndCommitLeft) {
  registered("one", {});
  fs::rename(staged("half"), models() / "pets" / "2");  // as a process killed before its commit leaves it
  EXPECT_EQ(registry_.list("pets")->size(), 1U);
  const auto second = registered("two", {});
  EXPECT_EQ(second.version, 2);
  EXPECT_EQ(registry_.open(second).value().digest, second.digest);
}

TEST_F(RegistryTest, GivesEachOfTwoProcessesAVersionOfItsOwn) {
  constexpr int kEach = 4;
  for (int i = 0; i < 2 * kEach; ++i) staged(fmt::format("{}", i));
  const auto register_some = [&](Registry& registry, int from) {
    for (int i = from; i < from + kEach; ++i)
      if (!registry.register_package("pets", folder_.path() / fmt::format("staged-{}", i), "", {"champion"}))
        return false;
    return true;
  };
  const pid_t child = ::fork();
  if (child == 0) {
    static_cast<void>(database_.release());  // the parent's connections are not ours
    const auto mine = store::Database::open(url_);
    if (!mine) ::_exit(1);
    Registry registry(**mine, models());
    ::_exit(register_some(registry, 0) ? 0 : 1);
  }
  EXPECT_TRUE(register_some(registry_, kEach));
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  const auto all = registry_.list("pets").value();
  ASSERT_EQ(all.size(), 2U * kEach);
  for (const auto& version : all) EXPECT_TRUE(registry_.open(version).has_value()) << version.version;
  EXPECT_EQ(registry_.alias_history("pets", "champion")->size(), 2U * kEach);
}

TEST_F(RegistryTest, TakesAnAliasAwayAndRemembersThatItDid) {
  for (const char* weights : {"one", "two"}) registered(weights, {});
  ASSERT_TRUE(registry_.set_alias("pets", "staging", 1).has_value());
  const auto removed = registry_.remove_alias("pets", "staging", "no more");
  ASSERT_TRUE(removed.has_value()) << removed.error().message;
  EXPECT_EQ(removed->version, 0);
  EXPECT_EQ(removed->previous, 1);
  EXPECT_EQ(registry_.resolve("pets@staging").error().code, ErrorCode::NotFound);
  EXPECT_EQ(registry_.remove_alias("pets", "staging").error().code, ErrorCode::NotFound);
  const auto moves = registry_.alias_history("pets", "staging").value();
  ASSERT_EQ(moves.size(), 2U);
  EXPECT_EQ(moves[0].version, 0);
  EXPECT_EQ(moves[0].reason, "no more");
  ASSERT_TRUE(registry_.set_alias("pets", "staging", 2).has_value());
  EXPECT_EQ(registry_.roll_back("pets", "staging").error().code, ErrorCode::InvalidArgument);
}

TEST_F(RegistryTest, KeepsTheAliasesByWhichModelsAreFound) {
  registered("one", {"champion"});
  for (const char* alias : {"champion", "latest"})
    EXPECT_EQ(registry_.remove_alias("pets", alias).error().code, ErrorCode::InvalidArgument);
}

TEST_F(RegistryTest, ChangesAnAliasOnlyFromWhereItWasSeen) {
  for (const char* weights : {"one", "two"}) registered(weights, {});
  ASSERT_TRUE(registry_.set_alias("pets", "staging", 1, "new", 0).has_value());
  EXPECT_EQ(registry_.set_alias("pets", "staging", 2, "new", 0).error().code, ErrorCode::AlreadyExists);
  EXPECT_EQ(registry_.set_alias("pets", "staging", 1, "new", 2).error().code, ErrorCode::AlreadyExists);
  ASSERT_TRUE(registry_.set_alias("pets", "staging", 2, "moved", 1).has_value());
  EXPECT_EQ(registry_.remove_alias("pets", "staging", "x", 1).error().code, ErrorCode::AlreadyExists);
  EXPECT_TRUE(registry_.remove_alias("pets", "staging", "x", 2).has_value());
}

}  // namespace
}  // namespace imago::registry
