// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "base/npy.hpp"
#include "data/import.hpp"
#include "data/source.hpp"
#include "data/test_data.hpp"

namespace imago::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::zip_of;

/// `count` images of one pixel, no two alike.
std::string pixels(int count, int first = 0) {
  std::string bytes = npy_header("|u1", {count, 1, 1, 3});
  for (int i = 0; i < count; ++i) bytes += std::string{static_cast<char>(first + i), '\1', '\2'};
  return bytes;
}

std::string labels(const std::vector<int>& numbers) {
  std::string bytes = npy_header("|u1", {static_cast<std::int64_t>(numbers.size())});
  for (const int number : numbers) bytes += static_cast<char>(number);
  return bytes;
}

std::string names(const std::vector<std::string>& texts) {
  std::string bytes = npy_header("|S8", {static_cast<std::int64_t>(texts.size())});
  for (const auto& text : texts) bytes += text + std::string(8 - text.size(), '\0');
  return bytes;
}

class ArraySource : public testing::FolderTest {
 protected:
  ArraySource() : repository(folder() / "datasets") {}

  Result<ImportReport> import(const std::string& source) {
    return import_dataset(repository, {.name = "set", .source = folder() / source}, {}, nullptr);
  }
  std::string message(const std::string& source) {
    const auto report = import(source);
    return report ? "imported" : report.error().message;
  }

  Repository repository;
};

TEST_F(ArraySource, FindsThePartnerOfANpyFileBesideIt) {
  put("src/X_train.npy", pixels(4));
  put("src/y_train.npy", labels({0, 1, 0, 1}));
  put("src/X_test.npy", pixels(2, 100));
  put("src/y_test.npy", labels({0, 1}));
  put("src/other.txt", "text");
  for (const char* one : {"src/X_train.npy", "src/y_train.npy"}) {
    const auto report = import(one);
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(report->kept, 4U) << "the pair alone";
    EXPECT_THAT(report->labels, ElementsAre("0", "1"));
  }
  const auto test = import("src/X_test.npy");
  ASSERT_TRUE(test) << test.error().message;
  EXPECT_EQ(test->kept, 2U) << "by itself it is images as any";
}

TEST_F(ArraySource, TakesAFolderOfNpyFilesWithItsSplitsAndNames) {
  put("src/train_images.npy", pixels(4));
  put("src/train_labels.npy", labels({0, 1, 0, 1}));
  put("src/test_images.npy", pixels(2, 100));
  put("src/test_labels.npy", labels({0, 1}));
  put("src/class_names.npy", names({"cat", "dog"}));
  put("src/embeddings.npy", pixels(1));
  put("src/.DS_Store", "junk");
  const auto report = import("src");
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_THAT(report->labels, ElementsAre("cat", "dog"));
  EXPECT_THAT(report->counts.at(Split::Test), ElementsAre(1, 1));
  ASSERT_EQ(report->refused.count, 1U);
  EXPECT_EQ(report->refused.first[0].path, "embeddings.npy");
  EXPECT_THAT(report->refused.first[0].reason, HasSubstr("not one of the arrays"));
}

TEST_F(ArraySource, SaysWhichPartnerIsMissing) {
  put("alone/train_images.npy", pixels(2));
  EXPECT_THAT(message("alone/train_images.npy"), HasSubstr("no train_labels.npy beside it"));
  EXPECT_THAT(message("alone"), HasSubstr("it has train_images but no train_labels"));
  put("odd/foo.npy", pixels(2));
  EXPECT_THAT(message("odd/foo.npy"), HasSubstr("call the two x.npy and y.npy"));
  EXPECT_THAT(message("odd"), HasSubstr("no images for training"));
  put("short/x.npy", pixels(2));
  put("short/y.npy", labels({0, 1, 1}));
  EXPECT_THAT(message("short"), HasSubstr("labels of shape [3] for 2 images"));
  put("cut/x.npy", pixels(2).substr(0, 133));
  put("cut/y.npy", labels({0, 1}));
  EXPECT_THAT(message("cut"), HasSubstr("the shape needs"));
}

TEST_F(ArraySource, TakesAnNpzAsMedmnistHasItAndNamesWhatItLeaves) {
  put("src.npz", zip_of({{"train_images.npy", pixels(4)},
                         {"train_labels.npy", labels({0, 1, 0, 1})},
                         {"val_images.npy", pixels(2, 50)},
                         {"val_labels.npy", labels({1, 0})},
                         {"test_images.npy", pixels(2, 100)},
                         {"weights.npy", pixels(1)},
                         {"label_names.npy", names({"cat", "dog"})}}));
  const auto report = import("src.npz");
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_THAT(report->labels, ElementsAre("cat", "dog"));
  EXPECT_THAT(report->counts.at(Split::Validation), ElementsAre(1, 1));
  ASSERT_EQ(report->refused.count, 2U);
  EXPECT_EQ(report->refused.first[0].path, "test_images") << "without labels";
  EXPECT_EQ(report->refused.first[1].path, "weights.npy");
}

TEST_F(ArraySource, SaysWhenThereAreFewerNamesThanClasses) {
  put("src.npz", zip_of({{"x.npy", pixels(2)}, {"y.npy", labels({0, 2})}, {"classes.npy", names({"cat", "dog"})}}));
  EXPECT_THAT(message("src.npz"), HasSubstr("class number 2, but classes has 2 names"));
  put("src.npz", zip_of({{"x.npy", pixels(2)}, {"y.npy", labels({0, 1})}, {"classes.npy", labels({0, 1})}}));
  EXPECT_THAT(message("src.npz"), HasSubstr("classes: expected text"));
}

TEST_F(ArraySource, TellsArraysByTheirFirstBytes) {
  put("src/pair.zip", zip_of({{"x.npy", pixels(4)}, {"y.npy", labels({0, 1, 0, 1})}}));
  const auto report = import("src/pair.zip");
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->kept, 4U) << "an .npz by another name";
  put("src/table.npz", "path,label\n");
  EXPECT_THAT(message("src/table.npz"), HasSubstr("no archive we read"));
  put("src/x.npy", "path,label\n");
  EXPECT_NE(message("src/x.npy"), "imported");
}

}  // namespace
}  // namespace imago::data
