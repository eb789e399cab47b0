// SPDX-License-Identifier: Apache-2.0
#include "access/audit.hpp"

#include <gmock/gmock.h>

#include <thread>

#include "base/files.hpp"

namespace imago::access {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class AuditTest : public testing::Test {
 protected:
  void SetUp() override {
    auto folder = TemporaryDirectory::create(fs::temp_directory_path(), "audit test");
    ASSERT_TRUE(folder.has_value());
    folder_.emplace(std::move(*folder));
    database_ = open();
  }
  std::unique_ptr<store::Database> open() {
    auto database = store::Database::open(fmt::format("sqlite:{}", (folder_->path() / "imago.db").string()));
    EXPECT_TRUE(database.has_value()) << database.error().message;
    return std::move(*database);
  }
  void append(AuditEntry entry) { EXPECT_TRUE(append_audit(*database_, std::move(entry)).has_value()); }
  std::vector<std::int64_t> numbers(const AuditFilter& filter) {
    const auto read = read_audit(*database_, filter);
    EXPECT_TRUE(read.has_value()) << read.error().message;
    std::vector<std::int64_t> found;
    for (const auto& entry : read.value_or(std::vector<AuditEntry>{})) found.push_back(entry.number);
    return found;
  }
  ErrorCode refused(const AuditFilter& filter) { return read_audit(*database_, filter).error().code; }

  std::optional<TemporaryDirectory> folder_;
  std::unique_ptr<store::Database> database_;
};

AuditEntry entry(std::string who, std::string action, std::string outcome = "ok", std::string time = "") {
  return {.time = std::move(time),
          .who = std::move(who),
          .via = "http",
          .action = std::move(action),
          .outcome = std::move(outcome)};
}

TEST_F(AuditTest, KeepsWhatItWasTold) {
  append({.time = "2026-11-21T04:16:00.123Z",
          .who = "key line 3 (3fa9c1d2)",
          .address = "10.0.0.7",
          .via = "http",
          .action = "POST /v1/models/{name}/promote",
          .target = "/v1/models/small/promote",
          .outcome = "ok",
          .status = "200",
          .request_id = "9f86d081884c7d65"});
  const auto read = read_audit(*open(), {}).value();
  ASSERT_THAT(read, SizeIs(1));
  EXPECT_EQ(json::dump(to_json(read.front())),
            R"json({"number":1,"time":"2026-11-21T04:16:00.123Z","who":"key line 3 (3fa9c1d2)",)json"
            R"json("address":"10.0.0.7","via":"http","action":"POST /v1/models/{name}/promote",)json"
            R"json("target":"/v1/models/small/promote","outcome":"ok","status":"200",)json"
            R"json("request_id":"9f86d081884c7d65"})json");
}

TEST_F(AuditTest, NumbersWithoutAGapWhoeverWrites) {
  const auto write = [&] {
    const auto own = open();
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(append_audit(*own, entry("somebody", "POST /train")).has_value());
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(write);
  for (auto& thread : threads) thread.join();
  const auto found = numbers({});
  ASSERT_THAT(found, SizeIs(40));
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i], 40 - static_cast<std::int64_t>(i));
}

TEST_F(AuditTest, FindsByWhoWhatAndWhen) {
  append(entry("key a_b (1)", "POST /train", "ok", "2026-01-01T00:00:00.000Z"));
  append(entry("key axb (2)", "POST /train", "refused", "2026-02-01T00:00:00.000Z"));
  append(entry("10.0.0.7", "DELETE /v1/uploads/{id}", "failed", "2026-03-01T00:00:00.000Z"));
  EXPECT_THAT(numbers({}), ElementsAre(3, 2, 1));
  EXPECT_THAT(numbers({.who = "a_b"}), ElementsAre(1)) << "_ stands for itself";
  EXPECT_THAT(numbers({.who = "%"}), IsEmpty());
  EXPECT_THAT(numbers({.action = "uploads"}), ElementsAre(3));
  EXPECT_THAT(numbers({.outcome = "refused"}), ElementsAre(2));
  EXPECT_THAT(numbers({.via = "cli"}), IsEmpty());
  EXPECT_THAT(numbers({.since = "2026-02"}), ElementsAre(3, 2));
  EXPECT_THAT(numbers({.since = "2026-02-01", .until = "2026-03-01"}), ElementsAre(2));
  EXPECT_THAT(numbers({.since = "2026-02-01T00:00:00Z", .until = "2026-02-01T00:00:00.001Z"}), ElementsAre(2));
  EXPECT_THAT(numbers({.who = "key", .action = "/train", .outcome = "ok", .until = "2027"}), ElementsAre(1));
  EXPECT_THAT(numbers({.limit = 2}), ElementsAre(3, 2));
  EXPECT_THAT(numbers({.below = 2, .limit = 2}), ElementsAre(1));
  EXPECT_THAT(numbers({.who = "' OR 1=1 --"}), IsEmpty());
}

TEST_F(AuditTest, RefusesAQuestionThatCannotBe) {
  EXPECT_EQ(refused({.via = "post"}), ErrorCode::InvalidArgument);
  EXPECT_EQ(refused({.outcome = "fine"}), ErrorCode::InvalidArgument);
  for (const auto* time :
       {"yesterday", "202", "2026-1", "2026-11-21Z", "2026-11-21 04:16", "2026-11-21T04:16:00.123Zx"})
    EXPECT_EQ(refused({.since = time}), ErrorCode::InvalidArgument) << time;
}

TEST_F(AuditTest, CutsWhatIsLongBetweenCharacters) {
  append(entry(std::string(199, 'x') + "\u00e4\u00e4", "POST /train"));
  EXPECT_EQ(read_audit(*database_, {}).value().front().who, std::string(199, 'x'));
}

TEST_F(AuditTest, ForgetsWhatIsOldAndSaysSo) {
  append(entry("a", "POST /train", "ok", "2025-01-01T00:00:00.000Z"));
  append(entry("a", "POST /train", "ok", "2025-06-01T00:00:00.000Z"));
  append(entry("a", "POST /train", "ok", "2026-01-01T00:00:00.000Z"));
  const AuditEntry me{.who = "user me", .via = "cli"};
  EXPECT_EQ(forget_audit(*database_, "2025-12-31", me).value(), 2);
  EXPECT_THAT(numbers({}), ElementsAre(4, 3));
  const auto note = read_audit(*database_, {.limit = 1}).value().front();
  EXPECT_EQ(note.action, "audit forget");
  EXPECT_EQ(note.target, "2 entries before 2025-12-31");
  EXPECT_EQ(note.who, "user me");
  EXPECT_EQ(forget_audit(*database_, "2025-12-31", me).value(), 0) << "nothing to remove, nothing to note";
  EXPECT_THAT(numbers({}), ElementsAre(4, 3));
}

TEST_F(AuditTest, NeverForgetsTheLastSoThatNumbersGoOn) {
  append(entry("a", "POST /train", "ok", "2020-01-01T00:00:00.000Z"));
  EXPECT_EQ(forget_audit(*database_, "2026", {.who = "user me", .via = "cli"}).value(), 0);
  append(entry("a", "POST /train"));
  EXPECT_THAT(numbers({}), ElementsAre(2, 1));
}

}  // namespace
}  // namespace imago::access
