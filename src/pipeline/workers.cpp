// SPDX-License-Identifier: Apache-2.0
#include "pipeline/workers.hpp"

#include "jobs/child_process.hpp"
#include "jobs/task.hpp"
#include "pipeline/run_trainer.hpp"

namespace imago::pipeline {
namespace {

constexpr std::chrono::seconds kToNotice{3};
constexpr std::chrono::seconds kToStop{20};

}  // namespace

Result<void> run_worker(const WorkerRequest& request, const std::function<bool()>& should_stop) {
  const json::Value job{{"datasets", (request.workspace_folder / "datasets").string()},
                        {"threads", request.threads},
                        {"team", request.place}};
  std::optional<Error> error;
  bool done = false;
  const auto on_event = [&](const json::Value& event) {
    const std::string kind = event.value("event", "");
    done = done || kind == "done";
    if (kind == "error") error = jobs::error_of(event);
  };
  const jobs::ChildOptions child{.command = {request.trainer.string()}, .input = json::dump(job), .grace = kToStop};
  TRY(const auto ended, jobs::run_child(child, on_event, should_stop, false));
  if (error) return tl::unexpected<Error>(*error);
  const int rank = request.place.value("rank", 0);
  if (ended.end == jobs::ChildEnd::Signaled)
    return fail(ErrorCode::Unavailable, "worker {} was ended by signal {}", rank, ended.code);
  if (ended.code != 0 || !done)
    return fail(ErrorCode::Internal, "worker {} ended with status {}: {}", rank, ended.code, ended.last_stderr);
  return {};
}

LocalWorkers::LocalWorkers(std::vector<WorkerRequest> requests) {
  for (auto& request : requests) {
    workers_.push_back(std::make_unique<Worker>());
    Worker& worker = *workers_.back();
    worker.request = std::move(request);
    worker.thread = std::thread([this, &worker] { watch(worker); });
  }
}

LocalWorkers::~LocalWorkers() {
  stop();
  join();
}

void LocalWorkers::watch(Worker& worker) {
  const auto done = run_worker(worker.request, [this] { return stop_.load(); });
  if (done || stop_) return;
  worker.failure = done.error();
  worker.failed_at = std::chrono::steady_clock::now();
  worker.failed = true;
}

void LocalWorkers::join() {
  for (const auto& worker : workers_) {
    if (worker->thread.joinable()) worker->thread.join();
  }
}

bool LocalWorkers::lost() const {
  for (const auto& worker : workers_) {
    if (worker->failed && std::chrono::steady_clock::now() - worker->failed_at > kToNotice) return true;
  }
  return false;
}

std::optional<Error> LocalWorkers::end() {
  stop();
  join();
  const Worker* first = nullptr;
  for (const auto& worker : workers_) {
    if (worker->failed && (first == nullptr || worker->failed_at < first->failed_at)) first = worker.get();
  }
  return first == nullptr ? std::nullopt : first->failure;
}

}  // namespace imago::pipeline
