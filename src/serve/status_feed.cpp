// SPDX-License-Identifier: Apache-2.0
#include "serve/status_feed.hpp"

#include "base/log.hpp"
#include "jobs/progress.hpp"

namespace imago::serve {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kBetweenLooks{250};
constexpr std::chrono::seconds kBetweenComments{10};

}  // namespace

StatusFeed::StatusFeed(jobs::JobQueue& queue) : queue_(queue), thread_([this] { feed(); }) {}

StatusFeed::~StatusFeed() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void StatusFeed::add(http::Stream stream) {
  {
    const std::scoped_lock lock(mutex_);
    readers_.push_back({std::move(stream)});
  }
  changed_.notify_one();
}

void StatusFeed::feed() {
  auto comment_at = steady_clock::now() + kBetweenComments;
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !readers_.empty(); });
    if (stopping_) return;
    lock.unlock();
    const auto job = queue_.current();
    lock.lock();
    if (!job) log::warning("{}", job.error().message);
    if (job) {
      std::string event = fmt::format("event: status\ndata: {}\n\n", json::dump(jobs::status_of(*job)));
      const bool is_new = event != last_;
      last_ = std::move(event);
      tell(last_, !is_new);
    }
    if (steady_clock::now() >= comment_at) {
      comment_at = steady_clock::now() + kBetweenComments;
      tell(": still here\n\n", false);
    }
    changed_.wait_for(lock, kBetweenLooks, [this] { return stopping_; });
  }
}

void StatusFeed::tell(const std::string& event, bool only_fresh) {
  std::erase_if(readers_, [&](Reader& reader) {
    if (only_fresh && !reader.fresh) return false;
    reader.fresh = false;
    return !reader.stream.send(event);
  });
}

}  // namespace imago::serve
