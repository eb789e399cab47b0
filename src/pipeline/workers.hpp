// SPDX-License-Identifier: Apache-2.0
// Those who train together with the process that holds the run.
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "base/error.hpp"
#include "json/json.hpp"

namespace imago::pipeline {

struct WorkerRequest {
  std::filesystem::path workspace_folder;  ///< whose data sets it reads
  std::filesystem::path trainer;
  json::Value place;  ///< "team" of docs/formats/trainer.md
  int threads = 0;    ///< 0: all processors
};

/// Carries out one worker's part of a training in a child process; blocks until it ends. It takes its job from the
/// first worker and leaves nothing behind. Unavailable when it died of a signal or another one was lost.
Result<void> run_worker(const WorkerRequest& request, const std::function<bool()>& should_stop);

/// Workers on this machine, started and watched from threads.
class LocalWorkers {
 public:
  explicit LocalWorkers(std::vector<WorkerRequest> requests);
  /// Stops those that still run, and waits for them.
  ~LocalWorkers();
  LocalWorkers(const LocalWorkers&) = delete;
  LocalWorkers& operator=(const LocalWorkers&) = delete;

  /// Asks all to stop, as Ctrl-C does.
  void stop() { stop_ = true; }
  /// One has failed, and those who train with it have had the time to notice.
  [[nodiscard]] bool lost() const;
  /// Stops and waits; the first failure there was before, if any.
  std::optional<Error> end();

 private:
  struct Worker {
    WorkerRequest request;
    std::optional<Error> failure;  // once `failed`
    std::atomic<bool> failed{false};
    std::chrono::steady_clock::time_point failed_at;
    std::thread thread;
  };

  void watch(Worker& worker);
  void join();

  std::vector<std::unique_ptr<Worker>> workers_;
  std::atomic<bool> stop_{false};
};

}  // namespace imago::pipeline
