// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "data/import.hpp"
#include "data/staging.hpp"
#include "data/test_data.hpp"
#include "data/uploads.hpp"
#include "store/database.hpp"

namespace imago::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::picture;

class Extend : public testing::FolderTest {
 protected:
  Extend()
      : database(store::Database::open("sqlite:" + (folder() / "imago.db").string()).value()),
        repository(folder() / "datasets"),
        uploads(*database, folder() / "uploads") {
    for (int i = 0; i < 20; ++i) {
      put(fmt::format("src/train/cat/{}.png", i), picture(i));
      put(fmt::format("src/train/dog/{}.png", i), picture(100 + i));
    }
    put("src/test/cat/t.png", picture(500));
    put("src/test/dog/t.png", picture(600));
    first = import_dataset(repository, {.name = "pets", .source = folder() / "src"}, {}, nullptr).value().version;
  }

  std::string add(int seed, const std::string& label) {
    const auto bytes = picture(seed);
    return uploads.add({{fmt::format("{}.png", seed), label, bytes}}, {}).value().accepted.front().id;
  }
  Extension extend(const std::vector<std::string>& ids, const std::string& dataset = "pets") {
    auto extension = extend_dataset(repository, uploads, dataset, ids);
    EXPECT_TRUE(extension) << extension.error().message;
    return extension ? std::move(*extension) : Extension{};
  }
  std::string state(const std::string& id) {
    const auto rows = database->query("SELECT state, dataset FROM uploads WHERE id = :a", {id}).value();
    return rows.front().text("state") + " " + rows.front().text("dataset");
  }
  /// As a process killed after the data set was published, and before the rows said so.
  void forget_use(const std::vector<std::string>& ids) {
    for (const auto& id : ids)
      ASSERT_TRUE(database->execute("UPDATE uploads SET state = 'staged', dataset = NULL WHERE id = :a", {id}));
    ASSERT_TRUE(database->execute("DELETE FROM dataset_versions", {}));
  }

  std::unique_ptr<store::Database> database;
  Repository repository;
  Uploads uploads;
  std::string first;
};

TEST_F(Extend, AddsUploadsAsANewVersionAndMarksThemUsed) {
  const auto before = repository.load("pets").value();
  const auto cat = add(1000, "cat"), dog = add(1001, "puppy");
  const auto extension = extend({cat, dog});
  EXPECT_EQ(extension.added, 2U);
  EXPECT_THAT(extension.refused, IsEmpty());
  EXPECT_NE(extension.version, first);
  const auto after = repository.load("pets").value();
  EXPECT_EQ(version_of(after), extension.version) << "it is the newest";
  EXPECT_EQ(after.parent, first);
  EXPECT_EQ(after.labels, before.labels);
  ASSERT_EQ(after.entries.size(), before.entries.size() + 2);
  for (const auto& entry : before.entries)
    EXPECT_TRUE(std::any_of(after.entries.begin(), after.entries.end(), [&](const Entry& other) {
      return other.path == entry.path && other.sha256 == entry.sha256 && other.split == entry.split &&
             other.label == entry.label;
    })) << entry.path;
  EXPECT_EQ(after.entries.back().path, "uploads/" + std::max(cat, dog) + ".png");
  EXPECT_EQ(repository.read_object(sha256(picture(1000))).value(), picture(1000));
  EXPECT_EQ(state(cat), "used pets@" + extension.version);
  EXPECT_THAT(uploads.staged().value(), IsEmpty());
  EXPECT_EQ(uploads.find({cat}).error().code, ErrorCode::NotFound);
  EXPECT_FALSE(fs::exists(folder() / "uploads" / cat)) << "the data set has its bytes";
  const auto rows = database->query("SELECT version, parent, source FROM dataset_versions", {}).value();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows.front().text("parent"), first);
}

TEST_F(Extend, GivesTheSameAgainWhereverItWasCutOff) {
  const std::vector<std::string> ids{add(1000, "cat"), add(1001, "dog"), add(1000, "cat"), add(0, "cat")};
  const auto once = extend(ids);
  EXPECT_EQ(once.added, 2U);
  EXPECT_EQ(once.refused.size(), 2U);
  const auto manifest = read_file(folder() / "datasets/pets" / once.version / "manifest.jsonl").value();
  for (const auto& parent : {std::string("pets"), "pets@" + first}) {
    const auto again = extend({ids[3], ids[2], ids[1], ids[0], ids[1]}, parent);
    EXPECT_EQ(again.version, once.version) << parent;
    EXPECT_EQ(again.added, once.added);
    EXPECT_EQ(again.refused.size(), once.refused.size());
    EXPECT_EQ(encode_manifest(again.manifest), manifest) << "parent and all";
  }
  EXPECT_EQ(repository.versions("pets").value().size(), 2U);
}

TEST_F(Extend, FindsThePublishedVersionAfterBeingKilledBeforeTheRows) {
  const std::vector<std::string> ids{add(1000, "cat"), add(1001, "dog")};
  std::vector<std::string> bytes;
  for (const auto& id : ids) bytes.push_back(uploads.read(id).value());
  const auto once = extend(ids);
  forget_use(ids);
  for (std::size_t i = 0; i < ids.size(); ++i) put("uploads/" + ids[i], bytes[i]);
  const auto again = extend(ids);
  EXPECT_EQ(again.version, once.version);
  EXPECT_EQ(again.added, 2U);
  EXPECT_EQ(state(ids[0]), "used pets@" + once.version);
  EXPECT_EQ(database->query("SELECT version FROM dataset_versions", {}).value().size(), 1U);
}

TEST_F(Extend, KeepsTheTestSplitOutOfTraining) {
  const auto extension = extend({add(500, "cat"), add(5, "dog")});
  EXPECT_EQ(extension.added, 0U);
  EXPECT_EQ(extension.version, first) << "nothing was new";
  ASSERT_EQ(extension.refused.size(), 2U);
  std::vector<std::string> reasons{extension.refused[0].reason, extension.refused[1].reason};
  std::sort(reasons.begin(), reasons.end());
  EXPECT_EQ(reasons[0], "it is in the data set already, as cat (train/cat/5.png)");
  EXPECT_EQ(reasons[1], "it is in the test split (test/cat/t.png), which training must not see");
  EXPECT_THAT(uploads.staged().value(), IsEmpty()) << "they would be refused for ever";
}

TEST_F(Extend, GivesAboutOneInTenToValidationAlwaysTheSame) {
  std::vector<std::string> ids;
  for (int i = 0; i < 200; ++i) ids.push_back(add(1000 + i, "cat"));
  const auto extension = extend(ids);
  int validation = 0;
  for (const auto& entry : extension.manifest.entries) {
    if (!entry.path.starts_with("uploads/")) continue;
    EXPECT_NE(entry.split, Split::Test);
    EXPECT_EQ(entry.split == Split::Validation, std::stoul(entry.sha256.substr(0, 8), nullptr, 16) % 10 == 0);
    validation += entry.split == Split::Validation ? 1 : 0;
  }
  EXPECT_GE(validation, 8);
  EXPECT_LE(validation, 36) << "20 of 200 expected, with a standard deviation of 4.2";
}

TEST_F(Extend, TrainsOnAllOfAFewNewImages) {
  std::vector<std::string> ids;
  int seed = 1000;
  while (std::stoul(sha256(picture(seed)).substr(0, 8), nullptr, 16) % 10 != 0) ++seed;
  ids.push_back(add(seed, "cat"));  // of many, this one would be held back
  for (int i = 1; i < 10; ++i) ids.push_back(add(2000 + i, i < 9 ? "cat" : "dog"));
  ids.push_back(add(5, "cat"));  // there already: it does not count
  const auto before = repository.load("pets").value().indices(Split::Validation).size();
  const auto extension = extend(ids);
  EXPECT_EQ(extension.added, 10U) << "nine cats and a dog";
  EXPECT_EQ(extension.manifest.indices(Split::Validation).size(), before);
}

TEST_F(Extend, MakesNoValidationSplitWhereThereIsNone) {
  ASSERT_TRUE(import_dataset(repository, {.name = "plain", .source = folder() / "src", .ratios = {0, 0}}, {}, nullptr));
  std::vector<std::string> ids;
  for (int i = 0; i < 50; ++i) ids.push_back(add(1000 + i, "cat"));
  EXPECT_THAT(extend(ids, "plain").manifest.indices(Split::Validation), IsEmpty());
}

TEST_F(Extend, ChangesNothingWhenOneUploadCannotBeUsed) {
  const auto good = add(1000, "cat");
  const auto error = [&](const std::string& id) {
    const auto extension = extend_dataset(repository, uploads, "pets", {good, id});
    EXPECT_FALSE(extension);
    EXPECT_EQ(state(good), "staged ");
    EXPECT_THAT(repository.versions("pets").value(), ElementsAre(first));
    return extension.error();
  };
  EXPECT_THAT(error(add(1001, "")).message, HasSubstr("has no label yet"));
  EXPECT_THAT(error(add(1002, "zebra")).message, HasSubstr("data set 'pets' has cat, dog"));
  EXPECT_EQ(error("u0000000000000000").code, ErrorCode::NotFound);
  const auto damaged = add(1003, "cat");
  ASSERT_TRUE(write_file(folder() / "uploads" / damaged, "x"));
  EXPECT_EQ(error(damaged).code, ErrorCode::Corrupt);
  ASSERT_TRUE(import_dataset(repository, {.name = "other", .source = folder() / "src"}, {}, nullptr));
  const auto used = add(1004, "cat");
  const auto other = extend({used}, "other");
  EXPECT_THAT(error(used).message, HasSubstr("used for other@" + other.version));
}

}  // namespace
}  // namespace imago::data
