// SPDX-License-Identifier: Apache-2.0
#include "store/database.hpp"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <thread>

#include "base/files.hpp"
#include "store/migrations.hpp"

namespace imago::store {
namespace {

using testing::HasSubstr;

constexpr std::string_view kInsertModel = "INSERT INTO models (name, created) VALUES (:a, :b)";

/// Every behaviour on SQLite, and on PostgreSQL when IMAGO_TEST_POSTGRESQL names an empty database.
class DatabaseTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    auto folder = TemporaryDirectory::create(fs::temp_directory_path(), "store test");
    ASSERT_TRUE(folder.has_value());
    folder_.emplace(std::move(*folder));
    url_ = fmt::format("sqlite:{}", (folder_->path() / "imago.db").string());
    if (GetParam() == "postgresql") {
      const char* url = std::getenv("IMAGO_TEST_POSTGRESQL");
      if (url == nullptr) GTEST_SKIP() << "IMAGO_TEST_POSTGRESQL names no PostgreSQL database";
      url_ = url;
    }
    database_ = opened();
    ASSERT_NE(database_, nullptr);
    for (const auto* table : {"metrics", "runs", "aliases", "alias_history", "model_versions", "models", "jobs"})
      ASSERT_TRUE(database_->execute(fmt::format("DELETE FROM {}", table), {}).has_value());
  }

  std::unique_ptr<Database> opened() {
    auto database = Database::open(url_);
    EXPECT_TRUE(database.has_value()) << database.error().message;
    return database ? std::move(*database) : nullptr;
  }

  std::int64_t count_models() {
    const auto rows = database_->query("SELECT count(*) AS n FROM models", {});
    EXPECT_TRUE(rows.has_value()) << rows.error().message;
    return rows ? rows->front().integer("n") : -1;
  }

  std::optional<TemporaryDirectory> folder_;
  std::string url_;
  std::unique_ptr<Database> database_;
};

INSTANTIATE_TEST_SUITE_P(Backends, DatabaseTest, testing::Values("sqlite", "postgresql"),
                         [](const auto& backend) { return backend.param; });

TEST_P(DatabaseTest, GivesBackEveryTypeUnchanged) {
  constexpr std::int64_t kLarge = (std::int64_t{1} << 53) + 1;
  const std::string text = "it's \"quoted\"; :a \xC3\xA9 -- ?";
  ASSERT_TRUE(database_->execute("CREATE TABLE kinds (i BIGINT, r DOUBLE PRECISION, t TEXT, n TEXT)", {}).has_value());
  for (const double real : {0.1, -1.0 / 3.0, 1e300, std::numeric_limits<double>::denorm_min()}) {
    const auto changed =
        database_->execute("INSERT INTO kinds (i, r, t, n) VALUES (:a, :b, :c, :d)", {kLarge, real, text, Value()});
    EXPECT_EQ(changed.value(), 1);
    const auto rows = database_->query(
        "SELECT i, r, t, n, i * 2 AS twice FROM kinds WHERE i = :a AND (t = :b OR t = :b)", {kLarge, text});
    ASSERT_TRUE(rows.has_value()) << rows.error().message;
    ASSERT_EQ(rows->size(), 1U);
    const Row& row = rows->front();
    EXPECT_EQ(row.integer("i"), kLarge);
    EXPECT_EQ(row.integer("twice"), 2 * kLarge) << "an expression has no declared type";
    EXPECT_EQ(row.real("r"), real);
    EXPECT_EQ(row.text("t"), text);
    EXPECT_TRUE(row.is_null("n"));
    EXPECT_EQ(row.text("n"), "");
    EXPECT_EQ(database_->execute("DELETE FROM kinds", {}).value(), 1);
  }
  ASSERT_TRUE(database_->execute("DROP TABLE kinds", {}).has_value());
}

TEST_P(DatabaseTest, GivesRowsInOrderAndNoneForNoMatch) {
  for (const std::string name : {"a", "b", "c"})
    ASSERT_TRUE(database_->execute(kInsertModel, {name, "now"}).has_value());
  const auto rows = database_->query("SELECT name FROM models ORDER BY name DESC LIMIT :a", {std::int64_t{2}});
  ASSERT_EQ(rows.value().size(), 2U);
  EXPECT_EQ(rows->front().text("name"), "c");
  EXPECT_TRUE(database_->query("SELECT name FROM models WHERE name = :a", {"x"})->empty());
  EXPECT_EQ(database_->execute("UPDATE models SET created = :a", {"later"}).value(), 3);
}

TEST_P(DatabaseTest, TellsATakenKeyFromABrokenReferenceAndFromBadSql) {
  ASSERT_TRUE(database_->execute(kInsertModel, {"m", "now"}).has_value());
  EXPECT_EQ(database_->execute(kInsertModel, {"m", "now"}).error().code, ErrorCode::AlreadyExists);
  const auto orphan =
      database_->execute("INSERT INTO aliases (model, alias, version, updated) VALUES ('m', 'champion', 9, 'now')", {});
  EXPECT_EQ(orphan.error().code, ErrorCode::InvalidArgument) << orphan.error().message;
  const auto wrong = database_->query("SELECT x FROM nowhere", {});
  EXPECT_EQ(wrong.error().code, ErrorCode::InvalidArgument);
  EXPECT_THAT(wrong.error().message, HasSubstr("nowhere"));
  EXPECT_THAT(wrong.error().message, testing::Not(HasSubstr("\n")));
}

TEST_P(DatabaseTest, RollsBackWhatFailsAndCommitsWhatDoesNot) {
  const auto failed = database_->transaction([](Database& inside) -> Result<void> {
    TRY_VOID(inside.execute(kInsertModel, {"gone", "now"}));
    return fail(ErrorCode::Cancelled, "changed my mind");
  });
  EXPECT_EQ(failed.error().message, "changed my mind");
  EXPECT_EQ(count_models(), 0);
  ASSERT_TRUE(database_->transaction([](Database& inside) {
    return inside.execute(kInsertModel, {"kept", "now"}).map([](auto) {});
  }));
  EXPECT_EQ(count_models(), 1);
}

TEST_P(DatabaseTest, RollsBackAnInnerTransactionAlone) {
  const auto done = database_->transaction([](Database& outer) -> Result<void> {
    TRY_VOID(outer.execute(kInsertModel, {"first", "now"}));
    const auto inner = outer.transaction([](Database& inside) {
      return inside.execute(kInsertModel, {"first", "again"}).map([](auto) {});
    });
    EXPECT_EQ(inner.error().code, ErrorCode::AlreadyExists);
    TRY_VOID(outer.execute(kInsertModel, {"second", "now"}));
    return {};
  });
  EXPECT_TRUE(done.has_value()) << done.error().message;
  EXPECT_EQ(count_models(), 2);
}

/// Reads a counter and writes it back plus one: only right when transactions do not interleave.
Result<void> add_one(Database& inside) {
  TRY(const auto rows, inside.query("SELECT created FROM models WHERE name = 'counter'", {}));
  const std::string next = fmt::format("{}", rows.at(0).integer("created") + 1);
  TRY_VOID(inside.execute("UPDATE models SET created = :a WHERE name = 'counter'", {next}));
  return {};
}

Result<void> count_up(Database& database, int times) {
  for (int i = 0; i < times; ++i) TRY_VOID(database.transaction(add_one));
  return {};
}

TEST_P(DatabaseTest, LosesNoUpdateOfThreadsAndProcesses) {
  constexpr int kTimes = 15;
  ASSERT_TRUE(database_->execute(kInsertModel, {"counter", "0"}).has_value());
  std::vector<pid_t> children;
  for (int i = 0; i < 2; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      static_cast<void>(database_.release());  // the parent's connections are not ours
      auto mine = Database::open(url_);
      ::_exit(mine && count_up(**mine, kTimes) ? 0 : 1);
    }
    children.push_back(child);
  }
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) threads.emplace_back([&] { EXPECT_TRUE(count_up(*database_, kTimes).has_value()); });
  for (auto& thread : threads) thread.join();
  for (const pid_t child : children) {
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(database_->query("SELECT created FROM models", {}).value().front().integer("created"), kTimes * 8);
}

TEST_P(DatabaseTest, ForgetsATransactionKilledInTheMiddle) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    static_cast<void>(database_.release());
    auto mine = Database::open(url_);
    if (!mine) ::_exit(1);
    static_cast<void>((*mine)->transaction([&](Database& inside) -> Result<void> {
      for (int i = 0; i < 200; ++i) TRY_VOID(inside.execute(kInsertModel, {fmt::format("half-{}", i), "now"}));
      if (::write(ready[1], "x", 1) != 1) ::_exit(1);
      for (;;) ::pause();
    }));
  }
  ::close(ready[1]);
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_EQ(count_models(), 0) << "readers do not see, and do not wait for, an open transaction";
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(ready[0]);
  EXPECT_EQ(count_models(), 0);
  EXPECT_TRUE(database_->execute(kInsertModel, {"after", "now"}).has_value()) << "the lock went with its holder";
  EXPECT_EQ(opened()->query("SELECT name FROM models", {}).value().size(), 1U);
}

TEST_P(DatabaseTest, RefusesASchemaOfTheFuture) {
  const std::int64_t future = schema_version() + 1;
  ASSERT_TRUE(
      database_
          ->execute("INSERT INTO schema_migrations (version, name, applied) VALUES (:a, 'later', 'then')", {future})
          .has_value());
  const auto again = Database::open(url_);
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, ErrorCode::Unsupported);
  EXPECT_THAT(again.error().message, HasSubstr("newer"));
  ASSERT_TRUE(database_->execute("DELETE FROM schema_migrations WHERE version = :a", {future}).has_value());
  EXPECT_TRUE(Database::open(url_).has_value());
}

TEST(OpenDatabase, RefusesAddressesItCannotUse) {
  for (const std::string url : {"", "imago.db", "mysql://x", "sqlite:", "sqlite:/no/such/folder/imago.db"})
    EXPECT_FALSE(Database::open(url).has_value()) << url;
  EXPECT_EQ(Database::open("postgresql://nobody@127.0.0.1:1/none").error().code, ErrorCode::Unavailable);
}

TEST(OpenDatabase, CallsAFileThatIsNoDatabaseCorrupt) {
  auto folder = TemporaryDirectory::create(fs::temp_directory_path(), "store-test");
  const auto path = folder.value().path() / "imago.db";
  ASSERT_TRUE(write_file(path, std::string(10'000, 'x')).has_value());
  const auto opened = Database::open("sqlite:" + path.string());
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, ErrorCode::Corrupt) << opened.error().message;
  EXPECT_THAT(opened.error().message, HasSubstr("imago.db"));
}

}  // namespace
}  // namespace imago::store
