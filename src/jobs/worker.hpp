// SPDX-License-Identifier: Apache-2.0
// Doing jobs: each in a child process that prints what it does, while its row is kept alive and up to date.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "jobs/queue.hpp"

namespace imago::jobs {

struct WorkerOptions {
  /// The program that does a job. It prints events, and last one of {"event": "result", ...}, {"event": "error",
  /// "code", "message"}, {"event": "interrupted"} (after SIGINT; it goes on from there when started again).
  std::function<std::vector<std::string>(const Job& job)> command;
  int niceness = 0;
  std::chrono::seconds lease{15};
  std::chrono::milliseconds write_every{500};  ///< how often the row is updated
  std::chrono::milliseconds grace{60'000};     ///< for the child to stop
};

using OnJobEvent = std::function<void(const json::Value& event)>;

/// Does `job`, claimed by `owner`, to its end and returns it as it is then. Done with the child's result; Failed with
/// its error; Cancelled when that was asked for; queued again when `should_stop` turned true, or when the child died or
/// its error is "unavailable" and there are attempts left. A job that somebody else has meanwhile is left to them.
Result<Job> do_job(JobQueue& queue, const Job& job, const std::string& owner, const WorkerOptions& options,
                   const OnJobEvent& on_event, const std::function<bool()>& should_stop);

/// A name for a claim: this machine, this process, a random part.
std::string new_owner();

/// A thread that does what is queued, from start() on as long as this object lives.
class Worker {
 public:
  Worker(JobQueue& queue, WorkerOptions options) : queue_(queue), options_(std::move(options)) {}
  /// Stops the job that runs, which goes back to the queue, and waits for that.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void start();
  /// There is something new in the queue. Without it the queue is looked at once a second. Safe from any thread.
  void wake();
  /// Begins what the destructor does, without waiting.
  void stop();

 private:
  void work();

  JobQueue& queue_;
  const WorkerOptions options_;
  const std::string owner_ = new_owner();
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace imago::jobs
