// SPDX-License-Identifier: Apache-2.0
#include "pipeline/run_owner.hpp"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pipeline/workspace.hpp"

namespace imago::pipeline {
namespace {

using testing::HasSubstr;

TEST(RunOwner, MarksTheRunsOfTheDeadAndLeavesTheLivingAlone) {
  const auto folder = TemporaryDirectory::create(fs::temp_directory_path(), "owner").value();
  std::string alive, dead, elsewhere;
  {
    const auto workspace = Workspace::open(folder.path()).value();
    for (auto* id : {&alive, &dead, &elsewhere}) *id = workspace->runs().create("train", {}).value().id;
  }
  const auto runs_folder = folder.path() / "runs";
  const auto watching = Workspace::open(folder.path()).value();
  const pid_t process = ::fork();
  if (process == 0) {
    const auto lock = own_run(runs_folder / dead, {});
    ::kill(::getpid(), SIGKILL);
  }
  ::waitpid(process, nullptr, 0);
  const auto lock = own_run(runs_folder / alive, {});
  ASSERT_TRUE(lock.has_value());

  EXPECT_EQ(watching->runs().list().value().size(), 3U);
  EXPECT_EQ(watching->runs().find(dead).value().status, tracking::RunStatus::Interrupted) << "opened before it died";
  const auto workspace = Workspace::open(folder.path()).value();
  EXPECT_EQ(workspace->runs().find(alive).value().status, tracking::RunStatus::Running);
  EXPECT_EQ(workspace->runs().find(elsewhere).value().status, tracking::RunStatus::Running) << "no folder here";
  const auto marked = workspace->runs().find(dead).value();
  EXPECT_EQ(marked.status, tracking::RunStatus::Interrupted);
  EXPECT_THAT(marked.error, HasSubstr("imago train --resume " + dead));
}

TEST(RunOwner, IsOneProcessAtATime) {
  const auto folder = TemporaryDirectory::create(fs::temp_directory_path(), "owner").value();
  const auto first = own_run(folder.path() / "run", {});
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(own_run(folder.path() / "run", [] { return true; }).error().code, ErrorCode::Cancelled);
}

}  // namespace
}  // namespace imago::pipeline
