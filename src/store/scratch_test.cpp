// SPDX-License-Identifier: Apache-2.0
#include "store/scratch.hpp"

#include <gtest/gtest.h>

#include "base/files.hpp"

namespace imago::store {
namespace {

class ScratchTest : public ::testing::Test {
 protected:
  ScratchTest()
      : folder_(TemporaryDirectory::create(fs::temp_directory_path(), "imago-scratch-test").value()),
        scratch(Scratch::create(folder_.path() / "rows").value()) {}

 private:
  TemporaryDirectory folder_;

 protected:
  Scratch scratch;
};

TEST_F(ScratchTest, GivesBackWhatWasBound) {
  ASSERT_TRUE(scratch.run("CREATE TABLE words (word TEXT PRIMARY KEY, number INT) WITHOUT ROWID"));
  auto insert = scratch.prepare("INSERT OR IGNORE INTO words VALUES (?1, ?2)").value();
  const std::string not_utf8 = "b\xFF";
  for (const std::string& word : {std::string("c"), not_utf8, std::string("a"), std::string()})
    ASSERT_TRUE(insert.bind(1, word).bind(2, std::int64_t{1} << 40).run());
  EXPECT_EQ(scratch.changes(), 1);
  ASSERT_TRUE(insert.bind(1, "c").run());
  EXPECT_EQ(scratch.changes(), 0) << "it is there already";
  auto select = scratch.prepare("SELECT word, number, NULL FROM words ORDER BY word").value();
  for (const std::string& word : {std::string(), std::string("a"), not_utf8, std::string("c")}) {
    ASSERT_TRUE(select.step().value());
    EXPECT_EQ(select.text(0), word) << "in the order of its bytes";
    EXPECT_EQ(select.integer(1), std::int64_t{1} << 40);
    EXPECT_EQ(select.text(2), "");
  }
  EXPECT_FALSE(select.step().value());
  EXPECT_TRUE(select.step().value()) << "from the start";
}

TEST_F(ScratchTest, SaysWhatIsWrongWithAStatement) {
  const auto statement = scratch.prepare("SELECT a FROM nowhere");
  ASSERT_FALSE(statement);
  EXPECT_EQ(statement.error().code, ErrorCode::InvalidArgument);
  EXPECT_NE(statement.error().message.find("no such table: nowhere"), std::string::npos);
  EXPECT_FALSE(scratch.run("INSERT nothing"));
}

TEST_F(ScratchTest, CanBeWrittenToWhileItIsRead) {
  ASSERT_TRUE(scratch.run("CREATE TABLE a (n INT); CREATE TABLE b (n INT); INSERT INTO a VALUES (1), (2), (3)"));
  auto read = scratch.prepare("SELECT n FROM a").value();
  auto write = scratch.prepare("INSERT INTO b VALUES (?1 * 10)").value();
  while (read.step().value()) ASSERT_TRUE(write.bind(1, read.integer(0)).run());
  auto sum = scratch.prepare("SELECT sum(n) FROM b").value();
  ASSERT_TRUE(sum.step().value());
  EXPECT_EQ(sum.integer(0), 60);
}

}  // namespace
}  // namespace imago::store
