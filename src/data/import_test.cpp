// SPDX-License-Identifier: Apache-2.0
#include "data/import.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <set>

#include "data/test_data.hpp"
#include "data/test_pictures.hpp"
#include "image/decode.hpp"
#include "image/test_images.hpp"

namespace imago::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using testing::picture;
using testing::tar_of;

class Import : public testing::FolderTest {
 protected:
  Import() : repository(folder() / "datasets") {}

  Result<ImportReport> import(const fs::path& source, SplitRatios ratios = {},
                              const std::atomic<bool>* stop = nullptr) {
    return import_dataset(repository, {.name = "set", .source = folder() / source, .ratios = ratios}, {}, stop);
  }
  std::string message(const fs::path& source) {
    const auto report = import(source);
    return report ? "imported" : report.error().message;
  }
  /// `count` pictures in each folder, no two alike.
  void fill(const std::vector<std::string>& folders, int count) {
    for (const auto& name : folders)
      for (int i = 0; i < count; ++i) put(fmt::format("{}/{:03}.png", name, i), picture(next_++));
  }
  [[nodiscard]] std::size_t objects() const {
    std::size_t count = 0;
    std::error_code error;
    for (fs::recursive_directory_iterator it(folder() / "datasets", error), end; !error && it != end;
         it.increment(error))
      count += it->is_regular_file() && it->path().filename().string().size() == 64 ? 1 : 0;
    return count;
  }

  Repository repository;
  int next_ = 0;
};

TEST_F(Import, TakesAFolderOfClassesAndSplitsEachByTheRatios) {
  fill({"src/cat", "src/dog"}, 20);
  const auto report = import("src");
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->kept, 40U);
  EXPECT_EQ(report->refused.count, 0U);
  EXPECT_THAT(report->labels, ElementsAre("cat", "dog"));
  EXPECT_THAT(report->counts.at(Split::Train), ElementsAre(16, 16));
  EXPECT_THAT(report->counts.at(Split::Validation), ElementsAre(2, 2));
  EXPECT_THAT(report->counts.at(Split::Test), ElementsAre(2, 2));
  const auto manifest = repository.load("set");
  ASSERT_TRUE(manifest) << manifest.error().message;
  EXPECT_EQ(manifest->entries.front().path, "cat/000.png");
  EXPECT_EQ(manifest->entries.front().width, 8);
  EXPECT_EQ(manifest->entries.front().height, 6);
  EXPECT_EQ(repository.read_object(manifest->entries.front().sha256).value(), picture(0));
}

TEST_F(Import, LeavesAGivenTestSplitAloneAndTakesValidationFromTraining) {
  fill({"src/train/cat", "src/train/dog"}, 10);
  fill({"src/test/cat", "src/test/dog"}, 5);
  const auto report = import("src");
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_THAT(report->counts.at(Split::Train), ElementsAre(9, 9));
  EXPECT_THAT(report->counts.at(Split::Validation), ElementsAre(1, 1));
  EXPECT_THAT(report->counts.at(Split::Test), ElementsAre(5, 5));
  const auto manifest = repository.load("set");
  for (const auto& entry : manifest->entries)
    EXPECT_EQ(entry.split == Split::Test, entry.path.starts_with("test/")) << entry.path;
}

TEST_F(Import, GivesTheSameVersionFromAFolderAnArchiveAndASecondTime) {
  fill({"src/photos/cat", "src/photos/dog"}, 4);
  std::vector<std::pair<std::string, std::string>> files;
  for (const auto& file : fs::recursive_directory_iterator(folder() / "src"))
    if (file.is_regular_file())
      files.emplace_back("./" + file.path().lexically_relative(folder() / "src").string(),
                         read_file(file.path()).value());
  put("a.tar", tar_of(files));
  const auto from_folder = import("src");
  ASSERT_TRUE(from_folder) << from_folder.error().message;
  EXPECT_FALSE(from_folder->was_there);
  const auto from_archive = import("a.tar");
  ASSERT_TRUE(from_archive) << from_archive.error().message;
  EXPECT_EQ(from_archive->version, from_folder->version);
  EXPECT_TRUE(from_archive->was_there);
  EXPECT_EQ(objects(), 8U);
  EXPECT_THAT(repository.versions("set").value(), ElementsAre(from_folder->version));
}

TEST_F(Import, ListsEveryFileItRefusesWithTheReason) {
  fill({"src/cat", "src/dog"}, 3);
  put("src/cat/note.jpg", "Hello, not a picture");
  put("src/cat/cut.png", picture(500).substr(0, 60));
  put("src/dog/.DS_Store", "junk");
  put("src/stray.png", picture(501));
  const auto report = import("src");
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->kept, 6U);
  std::vector<std::string> lines;
  for (const auto& [path, reason] : report->refused.first) lines.push_back(path + ": " + reason);
  EXPECT_THAT(lines, ElementsAre(HasSubstr("cat/cut.png: broken PNG"),
                                 HasSubstr("cat/note.jpg: not an image we read: starts with 'Hello, n'"),
                                 "dog/.DS_Store: a hidden file", "stray.png: not in a class folder"));
  EXPECT_EQ(report->refused.count, 4U);
  EXPECT_THAT(report->refused.kinds.counts(),
              ElementsAre(Pair("a hidden file", 1), Pair("broken PNG", 1), Pair("not an image we read", 1),
                          Pair("not in a class folder", 1)));
  EXPECT_EQ(repository.refusals("set")->size(), 4U);
}

TEST_F(Import, NamesAClassFolderWithoutImages) {
  fill({"src/cat", "src/dog"}, 2);
  fs::create_directories(folder() / "src" / "bird");
  EXPECT_THAT(message("src"), HasSubstr("class folder 'bird' has no image"));
  put("src/bird/broken.jpg", "no");
  EXPECT_THAT(message("src"), HasSubstr("class folder 'bird' has no image"));
  put("a.tar", tar_of({{"x/cat/1.png", picture(1)}, {"x/dog/1.png", picture(2)}, {"x/fox/", ""}}));
  EXPECT_THAT(message("a.tar"), HasSubstr("class folder 'x/fox' has no image"));
  EXPECT_EQ(objects(), 0U);
  EXPECT_THAT(repository.names().value(), IsEmpty());
}

TEST_F(Import, RefusesSourcesWithoutClasses) {
  EXPECT_THAT(message("nowhere"), HasSubstr("no such file or folder"));
  fs::create_directories(folder() / "empty");
  EXPECT_THAT(message("empty"), HasSubstr("no image that can be read"));
  fill({"one/cat"}, 3);
  EXPECT_THAT(message("one"), HasSubstr("only one class, 'cat'"));
  fill({"flat"}, 3);
  EXPECT_THAT(message("flat"), HasSubstr("no class folder"));
  fill({"testonly/train/cat", "testonly/train/dog", "testonly/test/fox"}, 2);
  EXPECT_THAT(message("testonly"), HasSubstr("'fox' has no training image"));
}

TEST_F(Import, RefusesAnArchiveThatReachesOutsideItself) {
  for (const char* name : {"../evil.png", "/etc/evil.png", "cat/../../evil.png"}) {
    put("evil.tar", tar_of({{"cat/1.png", picture(1)}, {name, picture(2)}, {"dog/1.png", picture(3)}}));
    const auto report = import("evil.tar");
    ASSERT_FALSE(report) << name;
    EXPECT_EQ(report.error().code, ErrorCode::Corrupt);
    EXPECT_THAT(report.error().message, HasSubstr("leads out of it"));
  }
  EXPECT_FALSE(fs::exists(folder().parent_path() / "evil.png"));
}

TEST_F(Import, RefusesATruncatedArchiveAndWhatIsNone) {
  const auto whole = tar_of({{"cat/1.png", picture(1)}, {"dog/1.png", picture(2)}});
  put("cut.tar", whole.substr(0, 1024 + 512 + 20));
  EXPECT_EQ(import("cut.tar").error().code, ErrorCode::Corrupt);
  put("text.zip", "this is not an archive");
  EXPECT_EQ(import("text.zip").error().code, ErrorCode::Unsupported);
  EXPECT_EQ(objects(), 0U);
}

TEST_F(Import, StopsWithoutATraceWhenAsked) {
  fill({"src/cat", "src/dog"}, 5);
  const std::atomic<bool> stop{true};
  const auto report = import("src", {}, &stop);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::Cancelled);
  EXPECT_EQ(objects(), 0U);
  for (const auto& left : fs::directory_iterator(folder() / "datasets"))
    EXPECT_EQ(left.path().filename(), ".import.lock");
}

TEST_F(Import, SweepsWhatAKilledImportLeft) {
  fill({"src/cat", "src/dog"}, 2);
  put("datasets/.staging-dead/ab/half", "half an image");
  ASSERT_TRUE(import("src"));
  EXPECT_FALSE(fs::exists(folder() / "datasets" / ".staging-dead"));
}

TEST_F(Import, RefusesRatiosAndNamesOutOfRange) {
  fill({"src/cat", "src/dog"}, 2);
  EXPECT_FALSE(import("src", {.validation = 0.5, .test = 0.5}));
  EXPECT_FALSE(import("src", {.validation = -0.1, .test = 0.5}));
  EXPECT_FALSE(import_dataset(repository, {.name = "../x", .source = folder() / "src"}, {}, nullptr));
  EXPECT_FALSE(import_dataset(repository, {.name = "objects", .source = folder() / "src"}, {}, nullptr));
}

TEST_F(Import, ReadsCifarBinaryWithoutLoss) {
  const auto record = [](int label, int first) {
    std::string bytes(1, static_cast<char>(label));
    for (int i = 0; i < 3072; ++i) bytes += static_cast<char>(first + i / 16);
    return bytes;
  };
  put("src/cifar-10-batches-bin/batches.meta.txt",
      "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n");
  put("src/cifar-10-batches-bin/data_batch_1.bin", record(6, 0) + record(9, 1));
  put("src/cifar-10-batches-bin/test_batch.bin", record(3, 2));
  put("src/cifar-10-batches-bin/readme.html", "<html>");
  const auto report = import("src", {.validation = 0, .test = 0.1});
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->labels[6], "frog");
  EXPECT_EQ(report->counts.at(Split::Test)[3], 1U);
  EXPECT_EQ(report->refused.count, 1U);
  const auto manifest = repository.load("set");
  ASSERT_TRUE(manifest);
  ASSERT_EQ(manifest->entries.size(), 3U);
  const auto& frog = manifest->entries[0];
  EXPECT_EQ(frog.path, "data_batch_1/00000.png");
  EXPECT_EQ(frog.label, 6);
  const auto pixels = image::decode(as_bytes(repository.read_object(frog.sha256).value()));
  ASSERT_TRUE(pixels);
  // Pixel (5, 1) is number 37 of each plane: 37 / 16, 1061 / 16, 2085 / 16.
  EXPECT_THAT(std::vector<int>(&pixels->rgb[37 * 3], &pixels->rgb[37 * 3] + 3), ElementsAre(2, 66, 130));
}

TEST_F(Import, RefusesACifarBatchThatWasCutOrHasAWrongLabel) {
  put("cut/data_batch_1.bin", std::string(3073 * 2 - 1, '\1'));
  EXPECT_THAT(message("cut"), HasSubstr("whole number of CIFAR-10 records"));
  put("label/data_batch_1.bin", std::string(3073, '\x0A'));
  EXPECT_THAT(message("label"), HasSubstr("label 10"));
}

/// A BMP of one pixel: bytes that no library's version changes.
std::string dot(int red, int green) {
  std::string bytes("BM\x3A\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\x18\0\0\0\0\0\x04", 35);
  bytes.resize(54);
  return bytes + std::string{'\x07', static_cast<char>(green), static_cast<char>(red), '\0'};
}

TEST_F(Import, GivesTheVersionThatItGaveBeforeRowsWereKeptOnDisk) {
  for (int i = 0; i < 30; ++i) {
    const int red = i < 25 ? i * 4 : (i - 25) * 4;  // the last five are copies of the first
    put(fmt::format("src/cat/{:03}.bmp", i), dot(red, 0));
    put(fmt::format("src/dog/{:03}.bmp", i), dot(red, 100));
  }
  const auto report = import("src");
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->version, "6958230fc910") << "as commit 0618874 imported them";
  EXPECT_EQ(version_of(repository.load("set").value()), report->version);
}

TEST_F(Import, TakesTheFirstOfTwoFilesWithOnePath) {
  put("a.tar", tar_of({{"cat/1.png", picture(1)}, {"cat/1.png", picture(2)}, {"dog/1.png", picture(3)}}));
  const auto report = import("a.tar");
  ASSERT_TRUE(report) << report.error().message;
  ASSERT_EQ(report->refused.count, 1U);
  EXPECT_EQ(report->refused.first[0].reason, "another file with this path came before");
  EXPECT_EQ(repository.read_object(repository.load("set")->entries[0].sha256).value(), picture(1));
}

TEST_F(Import, TellsClassesByNamesWhereThereAreNoClassFolders) {
  for (int i = 0; i < 10; ++i) {
    put(fmt::format("src/train/cat.{}.png", i), picture(i));
    put(fmt::format("src/train/dog.{}.png", i), picture(100 + i));
  }
  put("src/test1/1.png", picture(200));  // Kaggle's own test images have no label
  const auto report = import("src");
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_THAT(report->labels, ElementsAre("cat", "dog"));
  EXPECT_THAT(report->counts.at(Split::Train), ElementsAre(8, 8));
  ASSERT_EQ(report->refused.count, 1U);
  EXPECT_EQ(report->refused.first[0].reason, "no class in its name, such as cat.0.jpg");
  EXPECT_EQ(repository.load("set")->entries[0].path, "train/cat.0.png");
}

TEST_F(Import, SaysWhatWasDoneToFilesThatItTakesNotAsTheyLie) {
  fill({"src/cat", "src/dog"}, 3);
  put("src/cat/0.jpg", picture(77));
  put("src/cat/1.jpg", image::testing::decode_base64(image::testing::kJpegCmyk));
  put("src/dog/2.PNG", image::testing::decode_base64(image::testing::kPngGray16));
  put("src/dog/3.gif", image::testing::decode_base64(image::testing::kGifAnimated));
  const auto report = import("src");
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->kept, 10U);
  EXPECT_EQ(report->fixed_files, 4U);
  std::vector<std::string> lines;
  const auto stored = repository.fixed("set").value();
  for (const auto& [path, reason] : stored) lines.push_back(path + ": " + reason);
  EXPECT_THAT(lines, ElementsAre("cat/0.jpg: its ending names another format: its bytes decide",
                                 "cat/1.jpg: CMYK converted to RGB", "dog/2.PNG: 16 bits a channel reduced to 8",
                                 "dog/3.gif: only the first frame of an animation"));
}

TEST_F(Import, DoesNotDecodeAgainWhatIsStored) {
  fill({"src/cat", "src/dog"}, 5);
  const auto first = import("src");
  ASSERT_TRUE(first);
  const auto size = repository.load("set")->entries[0];
  const auto again = import("src", {.validation = 0.4, .test = 0.2});
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_NE(again->version, first->version);
  EXPECT_EQ(repository.load("set")->entries[0].width, size.width);
  EXPECT_EQ(objects(), 10U);
}

TEST_F(Import, KeepsImagesThatLookTheSameOnOneSideOfTheSplit) {
  for (int i = 0; i < 60; ++i)
    for (const int side : {64, 48, 80})  // rescaled copies, two thirds of all images
      put(fmt::format("src/{}/{:03}-{}.png", i % 2 == 0 ? "cat" : "dog", i, side),
          image::encode_png(blobs(static_cast<std::uint64_t>(i), side)).value());
  auto request = ImportRequest{.name = "set", .source = folder() / "src", .ratios = {.validation = 0.2, .test = 0.2}};
  const auto straddling = [&] {
    std::map<std::string, std::set<Split>> splits;
    const auto manifest = repository.load("set").value();
    for (const auto& entry : manifest.entries) splits[entry.path.substr(0, 7)].insert(entry.split);
    return std::count_if(splits.begin(), splits.end(), [](const auto& scene) { return scene.second.size() > 1; });
  };
  ASSERT_TRUE(import_dataset(repository, request, {}, nullptr));
  EXPECT_GT(straddling(), 0) << "by chance, most are torn apart";
  request.group_duplicates = true;
  const auto report = import_dataset(repository, request, {}, nullptr);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(straddling(), 0);
  for (const auto split : {Split::Validation, Split::Test})
    for (const auto images : report->counts.at(split)) EXPECT_NEAR(static_cast<double>(images), 18.0, 3.0) << "20 %";
}

TEST_F(Import, TakesTheDevelopmentDataWhole) {
  const auto archive = testing::shared_data() / "cats-dogs.tar";
  if (!fs::exists(archive)) GTEST_SKIP() << "cats-dogs.tar is not on this machine";
  const auto report = import_dataset(repository, {.name = "cats-dogs", .source = archive}, {}, nullptr);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->kept, 2000U);
  EXPECT_THAT(report->labels, ElementsAre("cat", "dog"));
  EXPECT_THAT(report->counts.at(Split::Train), ElementsAre(800, 800));
}

}  // namespace
}  // namespace imago::data
