// SPDX-License-Identifier: Apache-2.0
#include "jobs/task.hpp"

#include <gmock/gmock.h>

#include "base/files.hpp"

namespace imago::jobs {
namespace {

using testing::HasSubstr;

class TaskTest : public testing::Test {
 protected:
  /// A program of this script, which gets "work" as its $1.
  Task task(const std::string& script) {
    const auto program = folder_.path() / "program";
    EXPECT_TRUE(write_file(program, "#!/bin/sh\n" + script));
    fs::permissions(program, fs::perms::owner_all);
    return {.program = program, .name = "work", .purpose = "the work", .input = {{"a", 1}}, .should_stop = {}};
  }

 private:
  TemporaryDirectory folder_ = TemporaryDirectory::create(fs::temp_directory_path(), "task-test").value();
};

TEST_F(TaskTest, TheLastEventIsTheAnswer) {
  const auto answer =
      run_task(task(R"(read job; echo '{"event": "first"}'; echo "{\"event\": \"$1\", \"job\": $job}")"));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(*answer, (json::Value{{"event", "work"}, {"job", {{"a", 1}}}}));
}

TEST_F(TaskTest, ProgressIsToldOnTheWayAndIsNoAnswer) {
  Task counting = task(
      R"(echo '{"event": "done"}'; for i in 1 2; do echo "{\"event\": \"progress\", \"done\": $i, \"total\": 2}"; done)");
  std::vector<std::size_t> heard;
  counting.on_progress = [&](std::size_t done, std::size_t total) { heard.insert(heard.end(), {done, total}); };
  const auto answer = run_task(counting);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ((*answer)["event"], "done");
  EXPECT_THAT(heard, testing::ElementsAre(1U, 2U, 2U, 2U));
}

TEST_F(TaskTest, AnErrorEventIsTheError) {
  const auto answer = run_task(task(R"(echo '{"event": "error", "code": "corrupt", "message": "bad"}'; exit 1)"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::Corrupt);
  EXPECT_EQ(answer.error().message, "bad");
  EXPECT_EQ(error_of({{"event", "error"}, {"code", "of a later version"}}).code, ErrorCode::Internal);
}

TEST_F(TaskTest, AProgramThatSaysNothingIsToldOfWithItsLastWords) {
  const auto answer = run_task(task("echo oh no >&2; exit 3"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::Internal);
  EXPECT_THAT(answer.error().message, HasSubstr("program ended with status 3: oh no"));
}

TEST_F(TaskTest, WhatTakesTooLongOrIsStoppedEnds) {
  Task slow = task("exec sleep 60");
  slow.timeout = std::chrono::milliseconds(1);
  EXPECT_EQ(run_task(slow).error().code, ErrorCode::Timeout);
  slow.timeout = std::chrono::milliseconds(60'000);
  slow.should_stop = [] { return true; };
  EXPECT_EQ(run_task(slow).error().code, ErrorCode::Cancelled);
}

TEST_F(TaskTest, AMissingProgramIsNamed) {
  Task missing = task("");
  missing.program = "/nowhere/imago-trainer";
  const auto answer = run_task(missing);
  EXPECT_EQ(answer.error().code, ErrorCode::Unavailable);
  EXPECT_THAT(answer.error().message, HasSubstr("imago-trainer is missing: the work needs it"));
}

}  // namespace
}  // namespace imago::jobs
