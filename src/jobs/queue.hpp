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

/// Safe from any thread; several processes may share one database. At most one job runs at a time: training wants the
/// whole machine.
class JobQueue {
 public:
  explicit JobQueue(store::Database& database, const Clock& clock = system_clock());

  Result<Job> submit(const std::string& kind, const json::Value& payload);

  /// The oldest queued job, or one whose doer let its lease run out (it has died); none while another runs. With `id`
  /// only that one. It is `owner`'s for `lease`, and longer with each heartbeat.
  Result<std::optional<Job>> claim(const std::string& owner, std::chrono::seconds lease, const std::string& id = "");
  /// Keeps the lease and the progress. True when the job is to be stopped. Unavailable when the
  /// lease was lost: somebody else has it now.
  Result<bool> heartbeat(const std::string& id, const std::string& owner, std::chrono::seconds lease,
                         const json::Value& progress);
  Result<void> finish(const std::string& id, const std::string& owner, JobState state, const json::Value& result,
                      const std::string& error = "");
  /// Back to queued, for the next who claims.
  Result<void> release(const std::string& id, const std::string& owner);

  /// Queued: cancelled at once; running: its doer is told at its next heartbeat; ended: InvalidArgument.
  Result<Job> cancel(const std::string& id);

  Result<Job> find(const std::string& id);
  /// Newest first; those of `kind` when it is not empty.
  Result<std::vector<Job>> list(int limit = 50, const std::string& kind = "");

 private:
  store::Database& database_;
  const Clock& clock_;
};

}  // namespace imago::jobs
