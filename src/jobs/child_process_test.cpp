// SPDX-License-Identifier: Apache-2.0
#include "jobs/child_process.hpp"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

namespace imago::jobs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Ran {
  Result<ChildResult> result;
  std::vector<std::string> events;
};

Ran run_shell(const std::string& script, const std::string& input = "") {
  ChildOptions options;
  options.command = {"/bin/sh", "-c", script};
  options.input = input;
  std::vector<std::string> events;
  const auto note = [&](const json::Value& event) { events.push_back(json::dump(event)); };
  auto result = run_child(options, note, {}, false);
  return {std::move(result), std::move(events)};
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) count += entry.path().empty() ? 0 : 1;
  return count;
}

TEST(RunChild, HandsOnEachLineAsAnEvent) {
  const auto ran = run_shell(R"(echo '{"step":1}'; echo '{"step":2}'; echo; printf '{"last":true}')");
  ASSERT_TRUE(ran.result.has_value());
  EXPECT_EQ(ran.result->end, ChildEnd::Exited);
  EXPECT_EQ(ran.result->code, 0);
  EXPECT_THAT(ran.events, ElementsAre(R"({"step":1})", R"({"step":2})", R"({"last":true})"));
}

TEST(RunChild, SkipsLinesThatAreNoEvents) {
  const auto ran = run_shell(R"(echo hello; echo '[1]'; head -c 3000000 /dev/zero | tr '\0' x; echo; echo '{"a":1}')");
  EXPECT_THAT(ran.events, ElementsAre(R"({"a":1})"));
}

TEST(RunChild, GivesTheChildItsInputHoweverLargeReadOrNot) {
  const std::string large(5'000'000, 'x');
  EXPECT_THAT(run_shell(R"(printf '{"bytes":%d}' $(wc -c))", large).events, ElementsAre(R"({"bytes":5000000})"));
  EXPECT_EQ(run_shell("exit 0", large).result.value().code, 0);
}

TEST(RunChild, ReportsStatusSignalAndTheEndOfStandardError) {
  EXPECT_EQ(run_shell("exit 3").result.value().code, 3);
  const auto killed = run_shell("kill -SEGV $$").result.value();
  EXPECT_EQ(killed.end, ChildEnd::Signaled);
  EXPECT_EQ(killed.code, SIGSEGV);
  const auto wordy = run_shell("head -c 100000 /dev/zero | tr '\\0' y >&2; echo the end >&2").result.value();
  EXPECT_EQ(wordy.last_stderr.size(), 8192U);
  EXPECT_THAT(wordy.last_stderr, testing::EndsWith("yythe end\n"));
}

TEST(RunChild, NamesAProgramThatIsNotThere) {
  const auto result = run_child(
      {.command = {"/no/such/trainer"}}, [](const json::Value&) {}, {}, false);
  EXPECT_EQ(result.error().code, ErrorCode::NotFound);
  EXPECT_THAT(result.error().message, HasSubstr("/no/such/trainer"));
}

TEST(RunChild, InterruptsOnceAndLetsTheChildFinish) {
  bool ready = false;
  std::vector<std::string> events;
  ChildOptions options;
  options.command = {"/bin/sh", "-c", R"sh(trap 'echo "{\"interrupt\":true}"' INT; echo '{"ready":true}'
                                           i=0; while [ $i -lt 8 ]; do i=$((i+1)); sleep 0.1; done; exit 7)sh"};
  const auto result = run_child(
      options,
      [&](const json::Value& event) {
        events.push_back(json::dump(event));
        ready = true;
      },
      [&] { return ready; }, false);
  EXPECT_EQ(result.value().end, ChildEnd::Exited);
  EXPECT_EQ(result.value().code, 7);
  EXPECT_THAT(events, ElementsAre(R"({"ready":true})", R"({"interrupt":true})"));
}

TEST(RunChild, KillsAChildAndItsOwnChildrenWhenTheyDoNotStop) {
  bool ready = false;
  ChildOptions options;
  options.command = {"/bin/sh", "-c", R"(trap '' INT; sleep 1000 & echo '{"ready":true}'; wait; sleep 1000)"};
  options.grace = std::chrono::milliseconds(200);
  const auto result = run_child(
      options, [&](const json::Value&) { ready = true; }, [&] { return ready; }, false);
  EXPECT_EQ(result.value().end, ChildEnd::Signaled);
  EXPECT_EQ(result.value().code, SIGKILL);
}

TEST(RunChild, DoesNotWaitForAGrandchildThatKeepsThePipesOpen) {
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(run_shell("sleep 20 & exit 0").result.value().code, 0);
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(10));
}

TEST(RunChild, LeavesNoZombiesAndNoDescriptorsAndPassesNoneOn) {
  run_shell("exit 0");
  const auto before = open_descriptors();
  ASSERT_EQ(::dup2(0, 77), 77);  // without close-on-exec, as some libraries open theirs
  EXPECT_EQ(run_shell("[ -e /proc/$$/fd/77 ] && exit 9; exit 0").result.value().code, 0);
  for (int i = 0; i < 20; ++i) run_shell("exit 0");
  ::close(77);
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child was not reaped";
}

TEST(RunChild, TakesTheChildAlongWhenThisProcessIsKilled) {
  int alive[2];
  ASSERT_EQ(::pipe(alive), 0);
  const pid_t runner = ::fork();
  if (runner == 0) {
    ::close(alive[0]);
    // The grandchild writes its id to us through the events and then waits for ever.
    static_cast<void>(run_child(
        {.command = {"/bin/sh", "-c", "echo \"{\\\"pid\\\":$$}\"; exec sleep 1000"}},
        [&](const json::Value& event) {
          const int pid = json::get<int>(event, "pid").value();
          if (::write(alive[1], &pid, sizeof pid) < 0) ::_exit(1);
        },
        {}, false));
    ::_exit(0);
  }
  ::close(alive[1]);
  int grandchild = 0;
  ASSERT_EQ(::read(alive[0], &grandchild, sizeof grandchild), static_cast<ssize_t>(sizeof grandchild));
  ::kill(runner, SIGKILL);
  ::waitpid(runner, nullptr, 0);
  const auto gone = [&] {
    std::error_code error;
    return ::kill(grandchild, 0) != 0 || !std::filesystem::exists(fmt::format("/proc/{}/exe", grandchild), error);
  };
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!gone() && std::chrono::steady_clock::now() < limit) ::usleep(1000);
  EXPECT_TRUE(gone());
  ::close(alive[0]);
}

}  // namespace
}  // namespace imago::jobs
