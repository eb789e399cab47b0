// SPDX-License-Identifier: Apache-2.0
// CIFAR-100 in small files of the official layouts: cifar-100-binary.tar.gz and cifar-100-python.tar.gz.
#include "data/cifar.hpp"

#include <gmock/gmock.h>

#include "data/import.hpp"
#include "data/source.hpp"
#include "data/test_data.hpp"
#include "image/decode.hpp"

namespace imago::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::picture;
using testing::tar_of;
using namespace std::string_literals;

std::string pixels(int first) {
  std::string bytes;
  for (int i = 0; i < 3072; ++i) bytes += static_cast<char>(first + i / 16);
  return bytes;
}

std::string record(int coarse, int fine, int first) {
  return std::string{static_cast<char>(coarse), static_cast<char>(fine)} + pixels(first);
}

/// As Python 2's cPickle wrote the official files: protocol 2, numbers below 256 only.
std::string python_text(const std::string& text) { return "U" + std::string(1, static_cast<char>(text.size())) + text; }

template <class Items, class Write>
std::string python_list(const Items& items, Write write) {
  std::string list = "](";
  for (const auto& item : items) list += write(item);
  return list + "e";
}

std::string python_batch(const std::vector<int>& fine, const std::vector<int>& coarse, const std::string& planes) {
  const auto number = [](int value) { return "K" + std::string(1, static_cast<char>(value)); };
  const std::string count = number(static_cast<int>(fine.size()));
  std::string length;
  for (int i = 0; i < 4; ++i) length += static_cast<char>(planes.size() >> 8 * i & 0xFF);
  return "\x80\x02}("s + python_text("filenames") + "]" + python_text("batch_label") +
         python_text("training batch 1 of 1") + python_text("fine_labels") + python_list(fine, number) +
         python_text("coarse_labels") + python_list(coarse, number) + python_text("data") +
         "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85U\x01"
         "b\x87R(K\x01"s +
         count +
         "M\0\x0c\x86"
         "cnumpy\ndtype\nU\x02u1K\0K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89T"s +
         length + planes + "tbu.";
}

std::string python_meta(const std::vector<std::string>& fine) {
  const std::vector<std::string> coarse(20, "things");
  return "\x80\x02}("s + python_text("fine_label_names") + python_list(fine, python_text) +
         python_text("coarse_label_names") + python_list(coarse, python_text) + "u.";
}

class Cifar100 : public testing::FolderTest {
 protected:
  Cifar100() : repository(folder() / "datasets") {}

  Result<ImportReport> import(const std::string& source) {
    return import_dataset(repository, {.name = "set", .source = folder() / source, .ratios = {0, 0.1}}, {}, nullptr);
  }
  std::string message(const std::string& source) {
    const auto report = import(source);
    return report ? "imported" : report.error().message;
  }
  /// Three images: a cockroach and a worm to train on, an apple to test.
  void expect_three(const Result<ImportReport>& report) {
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(report->labels.size(), 100U);
    EXPECT_EQ(report->labels[39], "keyboard");
    const auto entries = repository.load("set").value().entries;
    ASSERT_EQ(entries.size(), 3U);
    EXPECT_EQ(entries[0].path, "test/00000.png");
    EXPECT_EQ(report->labels[static_cast<std::size_t>(entries[0].label)], "apple");
    EXPECT_EQ(report->labels[static_cast<std::size_t>(entries[1].label)], "cockroach");
    EXPECT_EQ(report->labels[static_cast<std::size_t>(entries[2].label)], "worm");
    EXPECT_EQ(entries[0].split, Split::Test);
    EXPECT_EQ(entries[1].split, Split::Train);
    const auto roach = image::decode(as_bytes(repository.read_object(entries[1].sha256).value())).value();
    // Pixel (5, 1) is number 37 of each plane: 37 / 16, 1061 / 16, 2085 / 16.
    EXPECT_THAT(std::vector<int>(&roach.rgb[37 * 3], &roach.rgb[37 * 3] + 3), ElementsAre(2, 66, 130));
  }

  Repository repository;
};

TEST_F(Cifar100, ReadsTheBinaryFilesByTheirFineLabels) {
  std::string names;
  for (const auto& name : cifar_names(100)) names += name + "\n";
  put("src/cifar-100-binary/train.bin", record(7, 24, 0) + record(13, 99, 1));
  put("src/cifar-100-binary/test.bin", record(4, 0, 2));
  put("src/cifar-100-binary/fine_label_names.txt", names + "\n");
  put("src/cifar-100-binary/coarse_label_names.txt", "aquatic_mammals\nfish\n");
  const auto report = import("src");
  expect_three(report);
  ASSERT_EQ(report->refused.count, 1U);
  EXPECT_THAT(report->refused.first[0].reason, HasSubstr("not the coarse ones"));
}

TEST_F(Cifar100, ReadsThePythonFilesToTheSameVersion) {
  put("python/cifar-100-python/train", python_batch({24, 99}, {7, 13}, pixels(0) + pixels(1)));
  put("python/cifar-100-python/test", python_batch({0}, {4}, pixels(2)));
  put("python/cifar-100-python/meta", python_meta(cifar_names(100)));
  const auto python = import("python");
  expect_three(python);
  put("binary.tar", tar_of({{"train.bin", record(7, 24, 0) + record(13, 99, 1)}, {"test.bin", record(4, 0, 2)}}));
  const auto binary = import("binary.tar");
  ASSERT_TRUE(binary) << binary.error().message;
  EXPECT_EQ(binary->version, python->version) << "without a file of names: the official ones";
}

TEST_F(Cifar100, TakesOtherNamesFromAFileOfThem) {
  auto names = cifar_names(100);
  names[24] = "roach";
  put("src/train", python_batch({24, 99}, {7, 13}, pixels(0) + pixels(1)));
  put("src/meta", python_meta(names));
  EXPECT_EQ(import("src")->labels[24], "roach");
}

TEST_F(Cifar100, LeavesFoldersAndFilesOfTheSameNamesAlone) {
  for (const char* label : {"cat", "dog"})
    for (int i = 0; i < 4; ++i) put(fmt::format("src/train/{}/{}.png", label, i), picture(i + label[0] * 10));
  put("src/meta", "just text");
  const auto split = import("src");
  ASSERT_TRUE(split) << split.error().message;
  EXPECT_THAT(split->labels, ElementsAre("cat", "dog"));
  ASSERT_EQ(split->refused.count, 1U);
  EXPECT_THAT(split->refused.first[0].reason, HasSubstr("not an image we read"));

  for (int i = 0; i < 4; ++i) put(fmt::format("plain/cat/{}.png", i), picture(i));
  put("plain/dog/train", picture(100));
  put("plain/dog/test", picture(101));
  const auto plain = import("plain");
  ASSERT_TRUE(plain) << plain.error().message;
  EXPECT_EQ(plain->kept, 6U) << "images without an extension, however they are called";
}

TEST_F(Cifar100, RefusesWhatIsCutOrOutOfRange) {
  put("cut/train.bin", record(0, 0, 0).substr(1));
  EXPECT_THAT(message("cut"), HasSubstr("whole number of CIFAR-100 records of 3074"));
  put("fine/train.bin", record(0, 100, 0));
  EXPECT_THAT(message("fine"), HasSubstr("CIFAR-100 record 0 has label 100, but labels go from 0 to 99"));
  put("coarse/train.bin", record(20, 0, 0));
  EXPECT_THAT(message("coarse"), HasSubstr("coarse label 20"));
  put("names/train.bin", record(0, 0, 0));
  put("names/fine_label_names.txt", "apple\n");
  EXPECT_THAT(message("names"), HasSubstr("1 class names, but CIFAR-100 has 100"));
  put("python/train", python_batch({24, 99}, {7, 13}, pixels(0)));
  EXPECT_THAT(message("python"), HasSubstr("2 labels need 6144"));
  put("both/data_batch_1.bin", "\1" + pixels(0));
  put("both/train.bin", record(0, 0, 0));
  EXPECT_THAT(message("both"), HasSubstr("import one alone"));
}

TEST_F(Cifar100, KeepsImagesBesideTheBatchesOut) {
  put("src/train.bin", record(7, 24, 0) + record(13, 99, 1));
  put("src/train/cat.png", picture(1));
  put("src/cat/1.png", picture(2));
  const auto report = import("src");
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->kept, 2U);
  EXPECT_EQ(report->refused.count, 2U);
}

TEST(CifarFiles, OnlyTheBatchesOf100MayBeLarge) {
  for (const char* name : {"train", "a/test", "cifar-100-binary/train.bin", "test.bin"})
    EXPECT_EQ(kImportLimits.bytes_of(name), 192U << 20) << name;
  for (const char* name : {"train.jpg", "train/cat.png", "atest", "data_batch_1.bin"})
    EXPECT_EQ(kImportLimits.bytes_of(name), 32U << 20) << name;
  EXPECT_EQ(SourceLimits{}.bytes_of("train"), 32U << 20);
}

}  // namespace
}  // namespace imago::data
