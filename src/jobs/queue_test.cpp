// SPDX-License-Identifier: Apache-2.0
#include "jobs/queue.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "base/files.hpp"

namespace imago::jobs {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

constexpr seconds kLease{15};

class Queue : public testing::Test {
 protected:
  void SetUp() override {
    auto folder = TemporaryDirectory::create(fs::temp_directory_path(), "queue");
    ASSERT_TRUE(folder.has_value());
    folder_.emplace(std::move(*folder));
    auto database = store::Database::open("sqlite:" + (folder_->path() / "imago.db").string());
    ASSERT_TRUE(database.has_value()) << database.error().message;
    database_ = std::move(*database);
    queue_.emplace(*database_, clock_);
  }
  Job submit(const std::string& kind = "train") {
    clock_.advance(seconds{1});
    return queue_->submit(kind, {{"dataset", "small"}}).value();
  }
  std::string claim(const std::string& owner, const std::string& id = "") {
    const auto job = queue_->claim(owner, kLease, id).value();
    return job ? job->id : "";
  }
  JobState state(const std::string& id) { return queue_->find(id).value().state; }

  FakeClock clock_;
  std::optional<TemporaryDirectory> folder_;
  std::unique_ptr<store::Database> database_;
  std::optional<JobQueue> queue_;
};

TEST_F(Queue, KeepsWhatIsToBeDoneUntilItIsDone) {
  const auto job = submit();
  EXPECT_THAT(job.id, testing::MatchesRegex("job-20231114-221321-[0-9a-f]{6}"));
  EXPECT_EQ(job.state, JobState::Queued);
  const auto claimed = queue_->claim("a", kLease).value();
  ASSERT_TRUE(claimed.has_value());
  EXPECT_EQ(claimed->id, job.id);
  EXPECT_EQ(claimed->payload["dataset"], "small");
  EXPECT_EQ(claimed->attempts, 1);
  EXPECT_EQ(claimed->started, "2023-11-14T22:13:21.000Z");
  EXPECT_FALSE(queue_->heartbeat(job.id, "a", kLease, {{"epoch", 2}}).value());
  EXPECT_FALSE(queue_->heartbeat(job.id, "a", kLease, nullptr).value());
  ASSERT_TRUE(queue_->finish(job.id, "a", JobState::Done, {{"version", 3}}).has_value());
  const auto done = queue_->find(job.id).value();
  EXPECT_EQ(done.state, JobState::Done);
  EXPECT_EQ(done.progress["epoch"], 2);
  EXPECT_EQ(done.result["version"], 3);
  EXPECT_EQ(done.ended, "2023-11-14T22:13:21.000Z");
  EXPECT_EQ(claim("a"), "") << "a job that ended is not claimed again";
}

TEST_F(Queue, DoesOneAtATimeTheOldestFirst) {
  const auto first = submit(), second = submit("retrain");
  EXPECT_EQ(claim("a"), first.id);
  EXPECT_EQ(claim("b"), "");
  EXPECT_EQ(claim("b", second.id), "");
  ASSERT_TRUE(queue_->finish(first.id, "a", JobState::Failed, nullptr, "no").has_value());
  EXPECT_EQ(queue_->find(first.id).value().error, "no");
  EXPECT_EQ(claim("b"), second.id);
}

TEST_F(Queue, GivesOutTheOneThatIsAskedFor) {
  submit();
  const auto second = submit();
  EXPECT_EQ(claim("a", second.id), second.id);
  EXPECT_EQ(claim("a", "nosuch"), "");
}

TEST_F(Queue, GivesAJobWhoseLeaseRanOutToAnother) {
  const auto job = submit();
  claim("a");
  clock_.advance(seconds{14});
  ASSERT_TRUE(queue_->heartbeat(job.id, "a", kLease, {{"run", "r1"}}).has_value());
  clock_.advance(seconds{14});
  EXPECT_EQ(claim("b"), "") << "the heartbeat kept the lease";
  clock_.advance(seconds{2});
  const auto again = queue_->claim("b", kLease).value();
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->id, job.id);
  EXPECT_EQ(again->attempts, 2);
  EXPECT_EQ(again->progress["run"], "r1") << "what the second try goes on from";
  EXPECT_EQ(queue_->heartbeat(job.id, "a", kLease, {{"run", "wrong"}}).error().code, ErrorCode::Unavailable);
  EXPECT_EQ(queue_->finish(job.id, "a", JobState::Done, nullptr).error().code, ErrorCode::Unavailable);
  EXPECT_EQ(queue_->release(job.id, "a").error().code, ErrorCode::Unavailable);
  EXPECT_EQ(state(job.id), JobState::Running);
}

TEST_F(Queue, GivesUpAfterThreeDeaths) {
  const auto job = submit();
  for (const char* owner : {"a", "b", "c"}) {
    EXPECT_EQ(claim(owner), job.id);
    clock_.advance(seconds{16});
  }
  EXPECT_EQ(claim("d"), "");
  const auto failed = queue_->find(job.id).value();
  EXPECT_EQ(failed.state, JobState::Failed);
  EXPECT_THAT(failed.error, HasSubstr("3 attempts"));
  EXPECT_FALSE(failed.ended.empty());
}

TEST_F(Queue, TriesAgainAfterACrashAndFailsWithItsReason) {
  const auto job = submit();
  for (int i = 0; i < 2; ++i) {
    claim("a");
    EXPECT_EQ(queue_->retry(job.id, "a", "killed by signal 9").value(), JobState::Queued);
  }
  claim("a");
  EXPECT_EQ(queue_->retry(job.id, "a", "killed by signal 9").value(), JobState::Failed);
  EXPECT_THAT(queue_->find(job.id).value().error, HasSubstr("killed by signal 9"));
}

TEST_F(Queue, DoesNotCountAnOrderlyStopAsAnAttempt) {
  const auto job = submit();
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(claim("a"), job.id);
    ASSERT_TRUE(queue_->release(job.id, "a").has_value());
    EXPECT_EQ(state(job.id), JobState::Queued);
  }
  EXPECT_EQ(queue_->claim("b", kLease).value()->attempts, 1);
}

TEST_F(Queue, CancelsAQueuedJobAtOnce) {
  const auto job = submit();
  const auto cancelled = queue_->cancel(job.id).value();
  EXPECT_EQ(cancelled.state, JobState::Cancelled);
  EXPECT_FALSE(cancelled.ended.empty());
  EXPECT_EQ(claim("a"), "");
}

TEST_F(Queue, TellsTheDoerOfARunningJobToStop) {
  const auto job = submit();
  claim("a");
  EXPECT_EQ(queue_->cancel(job.id).value().state, JobState::Running);
  EXPECT_EQ(queue_->cancel(job.id).value().state, JobState::Running) << "twice is no error";
  EXPECT_TRUE(queue_->heartbeat(job.id, "a", kLease, nullptr).value());
  ASSERT_TRUE(queue_->finish(job.id, "a", JobState::Cancelled, nullptr).has_value());
  EXPECT_EQ(state(job.id), JobState::Cancelled);
}

TEST_F(Queue, CancelsARunningJobWhoseDoerIsGone) {
  const auto dead = submit();
  claim("a");
  clock_.advance(seconds{16});
  EXPECT_EQ(queue_->cancel(dead.id).value().state, JobState::Cancelled);
  const auto dying = submit();
  claim("a");
  ASSERT_TRUE(queue_->cancel(dying.id).has_value());
  EXPECT_EQ(queue_->retry(dying.id, "a", "killed").value(), JobState::Cancelled);
  const auto stopped = submit();
  claim("a");
  ASSERT_TRUE(queue_->cancel(stopped.id).has_value());
  ASSERT_TRUE(queue_->release(stopped.id, "a").has_value());
  EXPECT_EQ(state(stopped.id), JobState::Cancelled);
}

TEST_F(Queue, RefusesToCancelWhatHasEnded) {
  const auto job = submit();
  claim("a");
  ASSERT_TRUE(queue_->finish(job.id, "a", JobState::Done, nullptr).has_value());
  const auto error = queue_->cancel(job.id).error();
  EXPECT_EQ(error.code, ErrorCode::InvalidArgument);
  EXPECT_THAT(error.message, HasSubstr("ended already (done)"));
  EXPECT_EQ(queue_->cancel("nosuch").error().code, ErrorCode::NotFound);
}

TEST_F(Queue, ShowsTheRunningJobElseTheNewestQueuedElseTheLastThatEnded) {
  EXPECT_FALSE(queue_->current().value().has_value());
  const auto first = submit(), second = submit(), third = submit();
  EXPECT_EQ(queue_->current().value()->id, third.id);
  claim("a");
  EXPECT_EQ(queue_->current().value()->id, first.id);
  ASSERT_TRUE(queue_->cancel(third.id).has_value());
  clock_.advance(seconds{1});
  ASSERT_TRUE(queue_->finish(first.id, "a", JobState::Done, nullptr).has_value());
  EXPECT_EQ(queue_->current().value()->id, second.id);
  clock_.advance(seconds{1});
  ASSERT_TRUE(queue_->cancel(second.id).has_value());
  EXPECT_EQ(queue_->current().value()->id, second.id);
  EXPECT_EQ(queue_->list(2).value().front().id, third.id);
  EXPECT_EQ(queue_->list(2).value().size(), 2U);
}

TEST_F(Queue, ListsThoseOfAState) {
  const auto first = submit(), second = submit(), third = submit();
  claim("a");
  EXPECT_EQ(queue_->list().value().size(), 3U);
  EXPECT_EQ(queue_->list(50, JobState::Running).value().front().id, first.id);
  EXPECT_EQ(queue_->list(50, JobState::Queued).value().size(), 2U);
  EXPECT_EQ(queue_->list(1, JobState::Queued).value().size(), 1U);
  EXPECT_TRUE(queue_->list(50, JobState::Done).value().empty());
  EXPECT_EQ(job_state_from("done"), JobState::Done);
  EXPECT_EQ(job_state_from("lost").error().message,
            "state 'lost': expected one of queued, running, done, failed, cancelled");
}

TEST_F(Queue, NeverGivesOneJobToTwo) {
  constexpr int kJobs = 10;
  for (int i = 0; i < kJobs; ++i) submit();
  std::atomic<int> done{0}, together{0}, most{0};
  const auto work = [&](const std::string& owner) {
    while (done < kJobs) {
      const auto job = queue_->claim(owner, kLease).value();
      if (!job) continue;
      most = std::max(most.load(), ++together);
      --together;
      EXPECT_TRUE(queue_->finish(job->id, owner, JobState::Done, nullptr).has_value());
      ++done;
    }
  };
  std::thread other(work, "a");
  work("b");
  other.join();
  EXPECT_EQ(done, kJobs);
  EXPECT_EQ(most, 1);
}

TEST_F(Queue, FindsTheJobThatWasAskedForUnderAKey) {
  const JobRequest request{"k1", "digest"};
  EXPECT_FALSE(queue_->find(request).value().has_value());
  const auto job = queue_->submit("train", {{"dataset", "small"}}, request).value();
  EXPECT_EQ(queue_->find(request).value()->id, job.id);
  EXPECT_EQ(queue_->submit("train", {{"dataset", "small"}}, request).error().code, ErrorCode::AlreadyExists);
  EXPECT_EQ(queue_->find(JobRequest{"k1", "other"}).error().code, ErrorCode::AlreadyExists);
  submit();
  submit();  // without a key there may be many
}

TEST_F(Queue, IsListedInPages) {
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(submit().id);
  const auto rest = queue_->list(10, std::nullopt, 1).value();
  ASSERT_EQ(rest.size(), 2U);
  EXPECT_EQ(rest[0].id, ids[1]);
  EXPECT_EQ(rest[1].id, ids[0]);
}

}  // namespace
}  // namespace imago::jobs
