// SPDX-License-Identifier: Apache-2.0
#include "data/export.hpp"

#include <gmock/gmock.h>

#include "data/import.hpp"
#include "data/test_data.hpp"

namespace imago::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::picture;

class Export : public testing::FolderTest {
 protected:
  Export() : repository(folder() / "datasets") {
    for (int i = 0; i < 10; ++i) {
      put(fmt::format("src/train/cat/{}.png", i), picture(i));
      put(fmt::format("src/train/dog/{}.png", i), picture(100 + i));
    }
    put("src/test/cat/0.png", picture(500));
    put("src/test/dog/0.png", picture(600));
    EXPECT_TRUE(import_dataset(repository, {.name = "pets", .source = folder() / "src"}, {}, nullptr));
    manifest = repository.load("pets").value();
  }

  Result<ExportReport> write(const std::string& target, std::optional<Split> split = {}) {
    return export_dataset(repository, manifest, split, folder() / target, {}, nullptr);
  }
  [[nodiscard]] std::vector<std::string> files(const std::string& target) const {
    std::vector<std::string> found;
    for (const auto& file : fs::recursive_directory_iterator(folder() / target))
      if (file.is_regular_file()) found.push_back(file.path().lexically_relative(folder() / target).string());
    std::sort(found.begin(), found.end());
    return found;
  }

  Repository repository;
  Manifest manifest;
};

TEST_F(Export, WritesAFolderThatImportsToTheSameImagesAndSplits) {
  const auto report = write("out/");
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->files, 22U);
  EXPECT_EQ(files("out").size(), 22U);
  EXPECT_EQ(read_file(folder() / "out/test/cat/0.png").value(), picture(500));
  const auto back = import_dataset(repository, {.name = "back", .source = folder() / "out"}, {}, nullptr);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->counts, count_images(manifest));
}

TEST_F(Export, GivesTheSameBytesAgain) {
  ASSERT_TRUE(write("a.tar"));
  ASSERT_TRUE(write("b.tar"));
  const auto bytes = read_file(folder() / "a.tar").value();
  EXPECT_EQ(read_file(folder() / "b.tar").value(), bytes);
  // POSIX ustar: mode, owner, group at 100, time at 136, all octal.
  EXPECT_EQ(bytes.substr(136, 11), "00000000000");
  EXPECT_THAT(bytes.substr(100, 22), ::testing::StartsWith("000644"));
  const auto back = import_dataset(repository, {.name = "back", .source = folder() / "a.tar"}, {}, nullptr);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->kept, 22U);
}

TEST_F(Export, WritesOneSplitAlone) {
  ASSERT_TRUE(write("test", Split::Test));
  EXPECT_THAT(files("test"), ElementsAre("test/cat/0.png", "test/dog/0.png"));
}

TEST_F(Export, KeepsFilesOfOneNameApart) {
  manifest.entries.clear();
  for (const auto* path : {"a/1.png", "b/1.png", "c/1.png", "d/README"})
    manifest.entries.push_back({path, sha256(picture(500)), 0, Split::Train, 8, 6, ""});
  ASSERT_TRUE(write("out"));
  const auto digest = sha256(picture(500)).substr(0, 8);
  EXPECT_THAT(files("out"), ::testing::UnorderedElementsAre("train/cat/1.png", "train/cat/1-" + digest + ".png",
                                                            "train/cat/1-" + digest + "-2.png", "train/cat/README"));
}

TEST_F(Export, TouchesNothingThatIsThere) {
  put("full/mine.txt", "mine");
  put("mine.tar", "mine");
  for (const auto* target : {"full", "mine.tar", "full/mine.txt"}) {
    const auto report = write(target);
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, ErrorCode::AlreadyExists);
    EXPECT_THAT(report.error().message, HasSubstr(target));
  }
  EXPECT_THAT(files("full"), ElementsAre("mine.txt"));
  ASSERT_TRUE(make_directories(folder() / "empty"));
  EXPECT_TRUE(write("empty"));
}

TEST_F(Export, LeavesNothingBehindWhenItFails) {
  ASSERT_TRUE(write_file(repository.object_path(sha256(picture(500))), "damaged"));
  for (const auto* target : {"out", "out.tar"}) {
    EXPECT_EQ(write(target).error().code, ErrorCode::Corrupt);
    EXPECT_FALSE(fs::exists(folder() / target));
  }
  manifest.labels[0] = "../cat";
  EXPECT_EQ(write("out").error().code, ErrorCode::InvalidArgument);
  const std::atomic<bool> stop{true};
  manifest.labels[0] = "cat";
  EXPECT_EQ(export_dataset(repository, manifest, {}, folder() / "out", {}, &stop).error().code, ErrorCode::Cancelled);
  for (const auto& left : fs::directory_iterator(folder()))
    EXPECT_THAT(left.path().filename().string(), ::testing::Not(::testing::StartsWith(".")));
}

}  // namespace
}  // namespace imago::data
