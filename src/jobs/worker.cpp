// SPDX-License-Identifier: Apache-2.0
#include "jobs/worker.hpp"

#include <unistd.h>

#include <array>
#include <optional>

#include "base/log.hpp"
#include "base/rng.hpp"
#include "jobs/child_process.hpp"
#include "jobs/progress.hpp"

namespace imago::jobs {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kLookEvery{1};

std::string last_line(std::string text) {
  text.erase(text.find_last_not_of(" \r\n") + 1);
  const auto start = text.rfind('\n');
  return start == std::string::npos ? text : text.substr(start + 1);
}

/// A job while its child lives.
class Doing {
 public:
  Doing(JobQueue& queue, const Job& job, const std::string& owner, const WorkerOptions& options)
      : queue_(queue), job_(job), owner_(owner), options_(options), progress_(job.progress) {}

  void take(const json::Value& event) {
    const std::string kind = json::get_or<std::string>(event, "event", "").value_or("");
    if (kind == "result" || kind == "error" || kind == "interrupted") last_word_ = event;
    fold_event(progress_, event);
    if (kind == "run") due_ = steady_clock::now();  // a second try must find it
  }

  /// Keeps the row; true when the child has to stop.
  bool beat() {
    if (steady_clock::now() < due_) return cancelled_ || lost_;
    due_ = steady_clock::now() + options_.write_every;
    const auto kept = queue_.heartbeat(job_.id, owner_, options_.lease, progress_);
    if (kept) cancelled_ = *kept;
    if (!kept && kept.error().code == ErrorCode::Unavailable && is_lost()) lost_ = true;
    if (!kept) log::warning("{}: {}", job_.id, kept.error().message);
    return cancelled_ || lost_;
  }

  /// What the row says after the child's end.
  Result<void> settle(const Result<ChildResult>& ended, bool stopping) {
    if (lost_) return {};
    if (auto kept = queue_.heartbeat(job_.id, owner_, options_.lease, progress_); kept) cancelled_ = *kept;
    const std::string word = json::get_or<std::string>(last_word_, "event", "").value_or("");
    if (word == "result") {
      last_word_.erase("event");
      return queue_.finish(job_.id, owner_, JobState::Done, last_word_);
    }
    if (cancelled_) return queue_.finish(job_.id, owner_, JobState::Cancelled, nullptr);
    if (stopping) return queue_.release(job_.id, owner_);
    if (word == "error" && last_word_.value("code", "") != to_string(ErrorCode::Unavailable))
      return queue_.finish(job_.id, owner_, JobState::Failed, nullptr, last_word_.value("message", "it failed"));
    const std::string why = word == "error" ? last_word_.value("message", "") : death(ended);
    log::warning("{}: attempt {}: {}", job_.id, job_.attempts, why);
    TRY_VOID(queue_.retry(job_.id, owner_, why));
    return {};
  }

 private:
  /// Unavailable may also be a database that is busy; then the row is still ours.
  bool is_lost() {
    const auto now = queue_.find(job_.id);
    return now && (now->state != JobState::Running || now->attempts != job_.attempts);
  }
  static std::string death(const Result<ChildResult>& ended) {
    if (!ended) return ended.error().message;
    const std::string said = last_line(ended->last_stderr);
    return fmt::format("the process that did it ended with {} {}{}{}",
                       ended->end == ChildEnd::Signaled ? "signal" : "status", ended->code,
                       said.empty() ? "" : "; it said: ", said);
  }

  JobQueue& queue_;
  const Job& job_;
  const std::string& owner_;
  const WorkerOptions& options_;
  json::Value progress_;
  json::Value last_word_;
  steady_clock::time_point due_ = steady_clock::now();
  bool cancelled_ = false;
  bool lost_ = false;
};

}  // namespace

std::string new_owner() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return fmt::format("{}/{}/{}", host.data(), ::getpid(), random_hex(4));
}

Result<Job> do_job(JobQueue& queue, const Job& job, const std::string& owner, const WorkerOptions& options,
                   const OnJobEvent& on_event, const std::function<bool()>& should_stop) {
  Doing doing(queue, job, owner, options);
  const ChildOptions child{
      .command = options.command(job), .input = "", .niceness = options.niceness, .grace = options.grace};
  bool stopping = false;
  const auto ended = run_child(
      child,
      [&](const json::Value& event) {
        doing.take(event);
        if (on_event) on_event(event);
      },
      [&] {
        stopping = stopping || should_stop();
        return doing.beat() || stopping;
      },
      false);
  TRY_VOID(doing.settle(ended, stopping));
  return queue.find(job.id);
}

Worker::~Worker() {
  stop();
  if (thread_.joinable()) thread_.join();
}

void Worker::start() {
  thread_ = std::thread([this] { work(); });
}

void Worker::wake() {
  {
    const std::scoped_lock lock(mutex_);
    woken_ = true;
  }
  changed_.notify_one();
}

void Worker::stop() {
  stopping_ = true;
  wake();
}

void Worker::work() {
  while (!stopping_) {
    auto job = queue_.claim(owner_, options_.lease);
    if (!job) log::warning("{}", job.error().message);
    if (job && *job) {
      log::info("{} ({}) begins, attempt {}", (*job)->id, (*job)->kind, (*job)->attempts);
      const auto done = do_job(queue_, **job, owner_, options_, {}, [this] { return stopping_.load(); });
      if (done) {
        log::info("{} is {}{}{}", done->id, to_string(done->state), done->error.empty() ? "" : ": ", done->error);
        if (done->state != JobState::Queued) continue;
      } else {
        log::error("{}: {}", (*job)->id, done.error().message);
      }
    }
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kLookEvery, [this] { return woken_; });
    woken_ = false;
  }
}

}  // namespace imago::jobs
