// SPDX-License-Identifier: Apache-2.0
// Work to do, kept in SQL until it is done: a crash of whoever does it, or of the server, loses none of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "json/json.hpp"
#include "store/database.hpp"

namespace imago::jobs {

enum class JobState { Queued, Running, Done, Failed, Cancelled };
std::string_view to_string(JobState state) noexcept;  ///< "queued", ...
/// The other way. InvalidArgument, naming the five, for anything else.
Result<JobState> job_state_from(std::string_view text);

struct Job {
  std::string id;    ///< "job-20261121-041600-3fa9c1"
  std::string kind;  ///< "train", "retrain"
  JobState state = JobState::Queued;
  json::Value payload;   ///< what to do
  json::Value progress;  ///< the latest event of whoever does it, and what a second try goes on from ("run")
  json::Value result;    ///< of Done
  std::string error;     ///< of Failed
  bool cancel_requested = false;
  int attempts = 0;                     ///< how often somebody began
  std::string created, started, ended;  ///< RFC 3339; the last two may be empty
};

inline constexpr int kMaxAttempts = 3;

/// How a client that asks again, for it had no answer, finds the job it asked for.
struct JobRequest {
  std::string key;     ///< the client's own; empty: none. AlreadyExists when it is taken
  std::string digest;  ///< of what was asked for
};

/// Safe from any thread; several processes may share one database. At most one job runs at a time: training wants the
/// whole machine.
class JobQueue {
 public:
  explicit JobQueue(store::Database& database, const Clock& clock = system_clock())
      : database_(database), clock_(clock) {}

  Result<Job> submit(const std::string& kind, const json::Value& payload, const JobRequest& request = {});
  /// The job that was submitted under that key; none when there is none. AlreadyExists when it asked for something
  /// else.
  Result<std::optional<Job>> find(const JobRequest& request);

  /// The oldest queued job, or one whose doer let its lease run out (it has died); none while another runs. With `id`
  /// only that one. It is `owner`'s for `lease`, and longer with each heartbeat. A job that has lost its doer
  /// kMaxAttempts times fails here instead, saying so; one that was to be stopped is cancelled.
  Result<std::optional<Job>> claim(const std::string& owner, std::chrono::seconds lease, const std::string& id = "");
  /// Keeps the lease and the progress (unless it is null). True when the job is to be stopped. Unavailable when the
  /// lease was lost: somebody else has it now.
  Result<bool> heartbeat(const std::string& id, const std::string& owner, std::chrono::seconds lease,
                         const json::Value& progress);
  /// `state` is Done, Failed or Cancelled. Unavailable as for heartbeat.
  Result<void> finish(const std::string& id, const std::string& owner, JobState state, const json::Value& result,
                      const std::string& error = "");
  /// Back to queued, for the next who claims: its doer was asked to stop, which is no attempt.
  Result<void> release(const std::string& id, const std::string& owner);
  /// Back to queued after its doer died; Failed with `why` when that was the last attempt. A job that was to be stopped
  /// is Cancelled. Returns what it is now.
  Result<JobState> retry(const std::string& id, const std::string& owner, const std::string& why);

  /// Queued: cancelled at once; running: its doer is told at its next heartbeat; ended: InvalidArgument.
  Result<Job> cancel(const std::string& id);

  Result<Job> find(const std::string& id);
  /// What to show when asked how it goes: the running job, else the newest queued, else the last that ended.
  Result<std::optional<Job>> current();
  /// Newest first; only those in `state` when there is one.
  Result<std::vector<Job>> list(int limit = 50, std::optional<JobState> state = std::nullopt, int offset = 0);

 private:
  [[nodiscard]] std::string now() const { return format_utc(clock_.wall()); }
  Result<void> bury_dead(store::Database& inside);
  Result<JobState> give_back(const std::string& id, const std::string& owner, const std::string& why, bool counts);

  store::Database& database_;
  const Clock& clock_;
};

}  // namespace imago::jobs
