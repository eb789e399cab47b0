// SPDX-License-Identifier: Apache-2.0
#include "jobs/worker.hpp"

#include <gmock/gmock.h>

#include "base/files.hpp"

namespace imago::jobs {
namespace {

using testing::HasSubstr;

/// Jobs whose payload is the shell script that does them; $ATTEMPT tells how often.
class WorkerTest : public testing::Test {
 protected:
  void SetUp() override {
    auto folder = TemporaryDirectory::create(fs::temp_directory_path(), "worker");
    ASSERT_TRUE(folder.has_value());
    folder_.emplace(std::move(*folder));
    auto database = store::Database::open("sqlite:" + (folder_->path() / "imago.db").string());
    ASSERT_TRUE(database.has_value()) << database.error().message;
    database_ = std::move(*database);
    queue_.emplace(*database_);
    options_.write_every = std::chrono::milliseconds(0);
    options_.command = [](const Job& job) {
      return std::vector<std::string>{
          "/bin/sh", "-c", fmt::format("ATTEMPT={}; {}", job.attempts, job.payload["script"].get<std::string>())};
    };
  }
  Job submit(const std::string& script) { return queue_->submit("test", {{"script", script}}).value(); }
  Job claim_and_do(const std::function<bool()>& should_stop = [] { return false; }) {
    const auto job = queue_->claim("me", options_.lease).value();
    EXPECT_TRUE(job.has_value());
    return do_job(*queue_, *job, "me", options_, {}, should_stop).value();
  }
  Job wait_for_end(const std::string& id) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (std::chrono::steady_clock::now() < limit) {
      if (auto job = queue_->find(id).value(); !job.ended.empty()) return job;
      std::this_thread::yield();
    }
    return queue_->find(id).value();
  }

  std::optional<TemporaryDirectory> folder_;
  std::unique_ptr<store::Database> database_;
  std::optional<JobQueue> queue_;
  WorkerOptions options_;
};

TEST_F(WorkerTest, KeepsResultAndProgress) {
  submit(R"(echo '{"event":"run","run":"r1"}'; echo '{"event":"epoch","epoch":1,"loss":2.5}';
            echo '{"event":"result","version":2}')");
  const auto done = claim_and_do();
  EXPECT_EQ(done.state, JobState::Done);
  EXPECT_EQ(json::dump(done.result), R"({"version":2})");
  EXPECT_EQ(done.progress["run"], "r1");
  EXPECT_EQ(done.progress["history"][0]["loss"], 2.5);
}

TEST_F(WorkerTest, KeepsTheReasonOfAFailure) {
  submit(R"(echo '{"event":"error","code":"invalid_argument","message":"no such recipe"}'; exit 1)");
  const auto failed = claim_and_do();
  EXPECT_EQ(failed.state, JobState::Failed);
  EXPECT_EQ(failed.error, "no such recipe");
}

TEST_F(WorkerTest, TriesAgainWhatDiedAndGivesUpInTheEnd) {
  const auto job = submit("kill -9 $$");
  Worker worker(*queue_, options_);
  worker.start();
  worker.wake();
  const auto failed = wait_for_end(job.id);
  EXPECT_EQ(failed.state, JobState::Failed);
  EXPECT_EQ(failed.attempts, 3);
  EXPECT_THAT(failed.error, HasSubstr("signal 9"));
}

TEST_F(WorkerTest, GoesOnAfterOneDeath) {
  submit(R"([ $ATTEMPT = 1 ] && { echo '{"event":"run","run":"r1"}'; kill -9 $$; }; echo '{"event":"result"}')");
  EXPECT_EQ(claim_and_do().state, JobState::Queued);
  const auto done = claim_and_do();
  EXPECT_EQ(done.state, JobState::Done);
  EXPECT_EQ(done.progress["run"], "r1");
}

TEST_F(WorkerTest, StopsTheChildOfACancelledJob) {
  const auto job = submit(R"(trap 'echo "{\"event\":\"interrupted\"}"; exit 0' INT; echo '{"event":"run","run":"r"}'
                             while :; do sleep 0.05; done)");
  bool cancelled = false;
  const auto ended = claim_and_do([&] {
    if (!cancelled && queue_->find(job.id).value().progress.is_object()) {
      EXPECT_TRUE(queue_->cancel(job.id).has_value());
      cancelled = true;
    }
    return false;
  });
  EXPECT_EQ(ended.state, JobState::Cancelled);
}

TEST_F(WorkerTest, PutsTheJobBackWhenItsServerStops) {
  const auto job = submit(R"(trap 'echo "{\"event\":\"interrupted\"}"; exit 0' INT; echo '{"event":"run","run":"r"}'
                             [ $ATTEMPT = 1 ] && while :; do sleep 0.05; done)");
  {
    Worker worker(*queue_, options_);
    worker.start();
    while (!queue_->find(job.id).value().progress.is_object()) std::this_thread::yield();
  }
  const auto left = queue_->find(job.id).value();
  EXPECT_EQ(left.state, JobState::Queued);
  EXPECT_EQ(left.attempts, 0);
  EXPECT_EQ(left.progress["run"], "r");
}

TEST_F(WorkerTest, DoesOneAfterTheOther) {
  const auto first = submit(R"(echo '{"event":"result","n":1}')"),
             second = submit(R"(echo '{"event":"result","n":2}')");
  Worker worker(*queue_, options_);
  worker.start();
  EXPECT_EQ(wait_for_end(second.id).result["n"], 2);
  EXPECT_EQ(wait_for_end(first.id).result["n"], 1);
}

TEST_F(WorkerTest, NamesAProgramThatIsNotThere) {
  submit("");
  options_.command = [](const Job&) { return std::vector<std::string>{"/no/such/imago"}; };
  EXPECT_EQ(claim_and_do().state, JobState::Queued);
  claim_and_do();
  EXPECT_THAT(claim_and_do().error, HasSubstr("/no/such/imago"));
}

}  // namespace
}  // namespace imago::jobs
