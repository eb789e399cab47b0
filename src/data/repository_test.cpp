// SPDX-License-Identifier: Apache-2.0
#include "data/repository.hpp"

#include <gmock/gmock.h>

#include "base/source_dir.hpp"
#include "data/test_data.hpp"

namespace imago::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RepositoryTest : public testing::FolderTest {
 protected:
  RepositoryTest() : repository(folder()) {}

  Manifest stored(const std::vector<int>& seeds) {
    Manifest manifest{"pets", {"cat", "dog"}, {}, {}};
    for (std::size_t i = 0; i < seeds.size(); ++i)
      manifest.entries.push_back({fmt::format("cat/{}.png", i),
                                  repository.put_object(testing::picture(seeds[i])).value(), 0, Split::Train, 8, 6,
                                  "x"});
    return manifest;
  }

  Repository repository;
};

TEST_F(RepositoryTest, GivesBackWhatWasPublished) {
  auto manifest = stored({1, 2});
  manifest.entries[1].path = "dog/\"odd\" n\xC3\xA4me\n.png";
  manifest.entries[1].label = 1;
  manifest.entries[1].split = Split::Test;
  const auto version = repository.publish(manifest, {{"bad.txt", "no \"image\""}});
  ASSERT_TRUE(version) << version.error().message;
  const auto loaded = repository.load("pets");
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->labels, manifest.labels);
  ASSERT_EQ(loaded->entries.size(), 2U);
  EXPECT_EQ(loaded->entries[1].path, manifest.entries[1].path);
  EXPECT_EQ(loaded->entries[1].split, Split::Test);
  EXPECT_EQ(version_of(*loaded), *version);
  const auto refused = repository.refusals("pets");
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->at(0).reason, "no \"image\"");
}

TEST_F(RepositoryTest, NamesTheNewestVersionAndFindsOthersByPrefix) {
  const auto first = repository.publish(stored({1}), {}).value();
  const auto second = repository.publish(stored({1, 2}), {}).value();
  EXPECT_EQ(version_of(repository.load("pets").value()), second);
  EXPECT_EQ(version_of(repository.load("pets@" + first.substr(0, 6)).value()), first);
  EXPECT_THAT(repository.names().value(), ElementsAre("pets"));
  EXPECT_THAT(repository.versions("pets").value(), ElementsAre(first, second));
  EXPECT_EQ(repository.publish(stored({1}), {}).value(), first);  // known: nothing new, but the newest again
  EXPECT_EQ(version_of(repository.load("pets").value()), first);
}

TEST_F(RepositoryTest, SaysWhatThereIsWhenANameIsUnknown) {
  EXPECT_THAT(repository.load("dogs").error().message, HasSubstr("there is none yet"));
  const auto version = repository.publish(stored({1}), {}).value();
  EXPECT_EQ(repository.load("dogs").error().code, ErrorCode::NotFound);
  EXPECT_THAT(repository.load("dogs").error().message, HasSubstr("there are pets"));
  EXPECT_THAT(repository.load("pets@zzz").error().message, HasSubstr(version));
  EXPECT_EQ(repository.load("../pets").error().code, ErrorCode::InvalidArgument);
}

TEST_F(RepositoryTest, NoticesADamagedObjectAndADamagedManifest) {
  const auto manifest = stored({1});
  const auto version = repository.publish(manifest, {}).value();
  const auto object = repository.object_path(manifest.entries[0].sha256);
  auto bytes = read_file(object).value();
  bytes[20] = static_cast<char>(bytes[20] ^ 1);
  ASSERT_TRUE(write_file(object, bytes));
  EXPECT_EQ(repository.read_object(manifest.entries[0].sha256).error().code, ErrorCode::Corrupt);

  const auto file = folder() / "pets" / version / "manifest.jsonl";
  auto text = read_file(file).value();
  text.replace(text.find("\"label\":0"), 9, "\"label\":1");
  ASSERT_TRUE(write_file(file, text));
  EXPECT_THAT(repository.load("pets").error().message, HasSubstr("changed or damaged"));
}

TEST_F(RepositoryTest, ReplacesAnObjectThatACrashLeftEmpty) {
  const auto bytes = testing::picture(9);
  const auto path = repository.object_path(sha256(bytes));
  ASSERT_TRUE(make_directories(path.parent_path()));
  ASSERT_TRUE(write_file(path, ""));
  const auto digest = repository.put_object(bytes);
  ASSERT_TRUE(digest);
  EXPECT_EQ(repository.read_object(*digest).value(), bytes);
}

TEST(ManifestText, RefusesRowsThatAreNotSound) {
  const Manifest manifest{"m",
                          {"a", "b"},
                          {{"a/1", std::string(64, 'a'), 0, Split::Train, 1, 1, ""},
                           {"a/2", std::string(64, 'b'), 1, Split::Test, 1, 1, ""}},
                          {}};
  const auto text = encode_manifest(manifest);
  ASSERT_TRUE(decode_manifest(text));
  const auto with = [&](std::string_view old, std::string_view changed) {
    auto damaged = text;
    damaged.replace(damaged.find(old), old.size(), changed);
    const auto read = decode_manifest(damaged);
    return read ? std::string("accepted") : read.error().message;
  };
  EXPECT_THAT(with("a/1", "../1"), HasSubstr("line 2: path '../1'"));
  EXPECT_THAT(with("a/1", "a/3"), HasSubstr("line 3: path 'a/2' comes after 'a/3'"));
  EXPECT_THAT(with("a/1", "a/2"), HasSubstr("sorted and unique"));
  EXPECT_THAT(with("aaaa", "../x"), HasSubstr("not a sha256"));
  EXPECT_THAT(with("\"label\":1", "\"label\":2"), HasSubstr("label 2, but 2 classes"));
  EXPECT_THAT(with("\"train\"", "\"trial\""), HasSubstr("no split 'trial'"));
  EXPECT_THAT(with("\"format\":1", "\"format\":9"), HasSubstr("format 9"));
  EXPECT_THAT(decode_manifest(text.substr(0, text.rfind("{"))).error().message,
              HasSubstr("1 rows, but its first line says 2"));
  for (std::size_t size = 0; size + 1 < text.size(); ++size)
    ASSERT_FALSE(decode_manifest(text.substr(0, size))) << size;
}

TEST(Version, IsThatOfTheWorkedExampleInTheFormatPage) {
  const auto page = read_file(fs::path(source_dir()) / "docs" / "formats" / "dataset.md").value();
  const auto start = page.find("{\"imago\":\"dataset\"");
  const auto manifest = decode_manifest(std::string_view(page).substr(start, page.find("```", start) - start));
  ASSERT_TRUE(manifest) << manifest.error().message;
  EXPECT_EQ(version_of(*manifest), "5e4be383f4dc");  // hashlib.sha256 of Python over the text that the page spells out
  EXPECT_THAT(page, HasSubstr("the version is `" + version_of(*manifest) + "`"));
}

TEST(Version, DependsOnContentLabelsAndSplitsButNotOnNameOrSource) {
  const Manifest manifest{"m", {"a", "b"}, {{"a/1", std::string(64, 'a'), 0, Split::Train, 1, 1, "here"}}, {}};
  const auto version = version_of(manifest);
  EXPECT_EQ(version.size(), 12U);
  auto other = manifest;
  other.name = "n";
  other.entries[0].source = "there";
  EXPECT_EQ(version_of(other), version);
  other.entries[0].split = Split::Test;
  EXPECT_NE(version_of(other), version);
  other = manifest;
  other.labels = {"a", "c"};
  EXPECT_NE(version_of(other), version);
}

}  // namespace
}  // namespace imago::data
