// SPDX-License-Identifier: Apache-2.0
#include "data/row_table.hpp"

#include <gmock/gmock.h>

#include "base/hash.hpp"
#include "data/remarks.hpp"
#include "data/test_data.hpp"

namespace imago::data {
namespace {

using ::testing::ElementsAre;

class RowTableTest : public testing::FolderTest {
 protected:
  RowTableTest() : table(RowTable::create(folder()).value()) {}

  void keep(const std::string& path, std::size_t place, const std::string& content, unsigned remarks = 0) {
    ASSERT_TRUE(table->reserve(path, place).value());
    ASSERT_TRUE(table->keep({path, sha256(content), 3, 4, remarks}));
  }
  std::vector<std::string> entries(std::size_t skip = 0) {
    std::vector<std::string> lines;
    const auto read = table->each_entry(skip, [&](Entry& entry) -> Result<void> {
      lines.push_back(
          fmt::format("{} {} {} {}x{}", entry.path, entry.label, to_string(entry.split), entry.width, entry.height));
      return {};
    });
    EXPECT_TRUE(read);
    return lines;
  }
  std::vector<std::string> refusals() {
    std::vector<std::string> lines;
    const auto read = table->each_refusal([&](std::string_view path, std::string_view reason) -> Result<void> {
      lines.push_back(fmt::format("{}: {}", path, reason));
      return {};
    });
    EXPECT_TRUE(read);
    return lines;
  }

  std::unique_ptr<RowTable> table;
};

TEST_F(RowTableTest, GivesRowsSortedWithTheMeaningOfTheirPlaces) {
  keep("x/b/1", 1, "one");
  keep("x/a/2", 0, "two");
  keep("x/stray", 2, "three");
  ASSERT_TRUE(table->reserve("x/a/broken", 0).value());
  ASSERT_TRUE(table->refuse("x/a/broken", "broken"));
  EXPECT_FALSE(table->reserve("x/a/2", 0).value()) << "it came before";
  EXPECT_THAT(table->images_by_place(3).value(), ElementsAre(1, 1, 1));
  ASSERT_TRUE(table->lay_out({{.folder = "x/a", .name = {}, .label = 0},
                              {.folder = "x/b", .name = {}, .label = 1, .split = Split::Test},
                              {.folder = "x", .name = {}, .objection = "not in a class folder"}}));
  EXPECT_THAT(entries(2), ElementsAre("a/2 0 train 3x4", "b/1 1 test 3x4"));
  EXPECT_THAT(refusals(), ElementsAre("x/a/broken: broken", "x/stray: not in a class folder"));
  EXPECT_EQ(table->kept(), 2U);
  EXPECT_EQ(table->refused(), 2U);
  EXPECT_TRUE(table->has(Split::Test).value());
  EXPECT_FALSE(table->has(Split::Validation).value());
}

TEST_F(RowTableTest, AssignsContentsWithAllTheirCopiesButNeverAGivenSplit) {
  keep("a/1", 0, "one");
  keep("a/1-copy", 0, "one");
  keep("a/2", 0, "two");
  keep("test/a/1", 1, "one");
  keep("b/1", 2, "one");
  ASSERT_TRUE(table->lay_out({{.folder = "a", .name = {}, .label = 0},
                              {.folder = "test/a", .name = {}, .label = 0, .split = Split::Test},
                              {.folder = "b", .name = {}, .label = 1}}));
  std::vector<std::uint32_t> copies;
  const bool one_first = sha256("one") < sha256("two");
  ASSERT_TRUE(table->assign({}, [&](const ClassContents& contents) {
    if (contents.label == 1) return std::vector{Split::Train};
    copies = contents.copies;
    return one_first ? std::vector{Split::Validation, Split::Train} : std::vector{Split::Train, Split::Validation};
  }));
  EXPECT_EQ(copies, one_first ? (std::vector<std::uint32_t>{2, 1}) : (std::vector<std::uint32_t>{1, 2}));
  EXPECT_THAT(entries(), ElementsAre("a/1 0 validation 3x4", "a/1-copy 0 validation 3x4", "a/2 0 train 3x4",
                                     "b/1 1 train 3x4", "test/a/1 0 test 3x4"));
}

TEST_F(RowTableTest, TellsGroupsAndRemarks) {
  keep("a/1", 0, "one", kTurned | kDeep);
  keep("a/2", 0, "two");
  ASSERT_TRUE(table->lay_out({{.folder = "a", .name = {}, .label = 0}}));
  std::vector<std::uint32_t> groups;
  ASSERT_TRUE(table->assign({{sha256("one"), 7}}, [&](const ClassContents& contents) {
    groups = contents.groups;
    return std::vector(2, Split::Train);
  }));
  EXPECT_THAT(groups, ::testing::UnorderedElementsAre(0, 7));
  std::vector<std::string> lines;
  ASSERT_TRUE(table->each_remark([&](std::string_view path, unsigned remarks) -> Result<void> {
    for (const auto& text : remark_texts(remarks)) lines.push_back(fmt::format("{}: {}", path, text));
    return {};
  }));
  EXPECT_THAT(lines, ElementsAre("a/1: turned as its EXIF data says", "a/1: 16 bits a channel reduced to 8"));
}

TEST(ReasonCounts, AreByKindAndNeverTooMany) {
  ReasonCounts counts;
  counts.add("broken PNG: CRC error");
  counts.add("broken PNG: too short");
  counts.add("'a/b' cannot be a label");
  counts.add("'c/d' cannot be a label");
  counts.add("20000 x 20000 = 400000000 pixels, at most 64000000");
  EXPECT_EQ(counts.counts(),
            (std::map<std::string, std::size_t>{{"'...' cannot be a label", 2}, {"broken PNG", 2}, {"too large", 1}}));
  for (int i = 0; i < 1000; ++i) counts.add(fmt::format("reason {}", i));
  EXPECT_LE(counts.counts().size(), ReasonCounts::kMostKinds + 1);
}

}  // namespace
}  // namespace imago::data
