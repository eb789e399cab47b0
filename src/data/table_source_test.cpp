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
using testing::picture;
using testing::zip_of;

class TableSource : public testing::FolderTest {
 protected:
  TableSource() : repository(folder() / "datasets") {}

  Result<ImportReport> import(const std::string& source) {
    return import_dataset(repository, {.name = "set", .source = folder() / source}, {}, nullptr);
  }
  std::string message(const std::string& table) {
    put("src/table.csv", table);
    const auto report = import("src/table.csv");
    return report ? "imported" : report.error().message;
  }

  Repository repository;
};

TEST_F(TableSource, TakesTheImagesThatATableLists) {
  for (int i = 0; i < 8; ++i) put(fmt::format("src/images/{}.png", i), picture(i));
  put("src/images/a, \"b\".png", picture(100));
  std::string table = "\xEF\xBB\xBFid,filename,label,split\r\n";
  for (int i = 0; i < 8; ++i)
    table += fmt::format("{},images/{}.png,{},{}\r\n", i, i, i % 2 == 0 ? "cat" : "dog", i < 6 ? "train" : "test");
  table +=
      "8,\"images/a, "
      "\"\"b\"\".png\",cat,train\n\n9,images/none.png,cat,train\n10,../x.png,cat,train\n11,images/0.png,a/b,test";
  put("src/table.csv", table);
  const auto report = import("src/table.csv");
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_THAT(report->labels, ElementsAre("cat", "dog"));
  EXPECT_EQ(report->kept, 9U);
  EXPECT_THAT(report->counts.at(Split::Test), ElementsAre(1, 1));
  ASSERT_EQ(report->refused.count, 3U);
  EXPECT_THAT(report->refused.first[0].reason, HasSubstr("leads out of the table's folder"));
  EXPECT_EQ(report->refused.first[1].reason, "'a/b' cannot be a label");
  EXPECT_THAT(report->refused.first[2].reason, HasSubstr("no such file"));
  EXPECT_EQ(repository.load("set")->entries.front().path, "test/cat/images/6.png");
}

TEST_F(TableSource, TakesWhatOtherProgramsWriteAsATable) {
  for (int i = 0; i < 4; ++i) put(fmt::format("src/{}.png", i), picture(i));
  put("src/table.csv", "ID;Filename;Category\n1;0.png;cat\n2;\"1.png\";dog\n3;2.png;cat\n4;3.png;dog");
  const auto semicolons = import("src/table.csv");
  ASSERT_TRUE(semicolons) << semicolons.error().message;
  EXPECT_THAT(semicolons->labels, ElementsAre("cat", "dog"));
  put("src/table.tsv", "LABEL\tfile_name\ncat\t0.png\ndog\t1.png\ncat\t2.png\ndog\t3.png\n");
  const auto tabs = import("src/table.tsv");
  ASSERT_TRUE(tabs) << tabs.error().message;
  EXPECT_EQ(tabs->version, semicolons->version);
}

TEST_F(TableSource, HandsEachRowOnBeforeItLooksAtTheNext) {
  put("src/a.png", picture(1));
  std::string table = "path,label\n";
  for (int i = 0; i < 1000; ++i) table += fmt::format("a.png,class {}\n", i);
  put("src/table.csv", table + "\"never closed");
  int rows = 0;
  std::uint64_t read = 0;
  const auto all = read_csv(folder() / "src/table.csv", {}, [&](SourceItem item) -> Result<void> {
    EXPECT_EQ(item.path, fmt::format("class {}/a.png", rows));
    EXPECT_GT(item.bytes_read, read);
    read = item.bytes_read;
    ++rows;
    return {};
  });
  EXPECT_EQ(rows, 1000);
  EXPECT_THAT(all.error().message, HasSubstr("does not close"));
  const auto stopped = read_csv(folder() / "src/table.csv", {},
                                [](const SourceItem&) -> Result<void> { return fail(ErrorCode::Cancelled, "enough"); });
  EXPECT_EQ(stopped.error().message, "enough");
}

TEST_F(TableSource, RefusesWhatIsNoSuchTable) {
  EXPECT_THAT(message("a,b\n1,2\n"), HasSubstr("must name the columns path and label"));
  EXPECT_THAT(message(""), HasSubstr("must name the columns"));
  EXPECT_THAT(message("path,label\nx.png\n"), HasSubstr("row 2 has 1 columns, but the first has 2"));
  EXPECT_THAT(message("path,label\n\"x.png,cat\n"), HasSubstr("does not close"));
  EXPECT_THAT(message("path,label\n\"x.png\"y,cat\n"), HasSubstr("after a closing quote"));
  EXPECT_THAT(message("path,label\n"), HasSubstr("no image"));
}

TEST_F(TableSource, TakesArraysWithTheirSplits) {
  std::string pixels, labels;
  for (int i = 0; i < 12; ++i) {
    pixels += std::string(3, static_cast<char>(10 * i));
    labels += static_cast<char>(i);
  }
  put("src/set.npz", zip_of({{"x_train.npy", npy_header("|u1", {12, 1, 1, 3}) + pixels},
                             {"y_train.npy", npy_header("|u1", {12, 1}) + labels},
                             {"x_test.npy", npy_header("|u1", {1, 1, 1, 3}) + "abc"},
                             {"y_test.npy", npy_header("|u1", {1, 1}) + "\5"}}));
  const auto report = import("src/set.npz");
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->labels.size(), 12U);
  EXPECT_EQ(report->labels[5], "05") << "so that numbers sort";
  const auto manifest = repository.load("set").value();
  EXPECT_EQ(manifest.entries.front().path, "test/05/000000.png");
  EXPECT_EQ(repository.read_object(manifest.entries.front().sha256).value(),
            image::encode_png({1, 1, {'a', 'b', 'c'}}).value());
}

TEST_F(TableSource, SaysWhatIsWrongWithArrays) {
  const auto said = [&](const std::vector<std::pair<std::string, std::string>>& members) {
    put("src/set.npz", zip_of(members));
    const auto report = import("src/set.npz");
    return report ? "imported" : report.error().message;
  };
  const auto pixels = npy_header("|u1", {1, 1, 1, 3}) + "abc";
  EXPECT_THAT(said({{"x_test.npy", pixels}, {"y_test.npy", npy_header("|u1", {1}) + "\1"}}),
              HasSubstr("x_train and y_train"));
  EXPECT_THAT(said({{"x_train.npy", pixels}}), HasSubstr("has x_train but no y_train"));
  EXPECT_THAT(said({{"x.npy", pixels}, {"y.npy", npy_header("<u4", {1}) + "\xFF\xFF\xFF\xFF"}}),
              HasSubstr("class number 4294967295"));
}

}  // namespace
}  // namespace imago::data
