// SPDX-License-Identifier: Apache-2.0
#include "http/slow_clients.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "base/log.hpp"

namespace imago::http {
namespace {

using std::chrono::milliseconds;

std::int64_t now_ms() {
  return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

void Link::enter(Phase phase, std::uint64_t bytes) {
  // Out of the old phase first: who looks in between sees one that is never overdue.
  phase_.store(Phase::Work, std::memory_order_relaxed);
  since_ms_.store(now_ms(), std::memory_order_relaxed);
  bytes_.store(bytes, std::memory_order_relaxed);
  phase_.store(phase, std::memory_order_release);
}

bool Link::is_overdue(const SlowLimits& limits, std::int64_t now) const {
  const Phase phase = phase_.load(std::memory_order_acquire);
  if (phase == Phase::Work) return false;
  const std::int64_t waited = now - since_ms_.load(std::memory_order_relaxed);
  if (phase == Phase::Headers) return waited > limits.headers.count();
  const auto paid = bytes_.load(std::memory_order_relaxed) * 1000 / limits.bytes_per_second;
  return waited > limits.grace.count() + static_cast<std::int64_t>(paid);
}

bool Link::is_deserted() const {
  const Phase phase = phase_.load(std::memory_order_acquire);
  if (phase != Phase::Headers && phase != Phase::Body) return false;
  pollfd state{.fd = socket_, .events = POLLRDHUP, .revents = 0};
  int unread = 0;
  const bool has_ended = ::poll(&state, 1, 0) == 1 && (state.revents & POLLRDHUP) != 0;
  return has_ended && ::ioctl(socket_, FIONREAD, &unread) == 0 && unread == 0;
}

SlowClients::SlowClients(const SlowLimits& limits)
    : limits_(limits),
      every_(std::clamp(std::min(limits.headers, limits.grace) / 10, milliseconds(20), milliseconds(1000))),
      thread_([this] { watch(); }) {}

SlowClients::~SlowClients() {
  {
    const std::scoped_lock lock(mutex_);
    closing_ = true;
  }
  closed_.notify_all();
  thread_.join();
}

Link* SlowClients::open(int socket) {
  auto made = std::make_unique<Link>(socket);
  Link* link = made.get();
  const std::scoped_lock lock(mutex_);
  links_.emplace(link, std::move(made));
  return link;
}

void SlowClients::close(Link* link) {
  const std::scoped_lock lock(mutex_);
  links_.erase(link);
}

void SlowClients::watch() {
  std::unique_lock lock(mutex_);
  while (!closed_.wait_for(lock, every_, [&] { return closing_; })) look();
}

void SlowClients::look() {
  const std::int64_t now = now_ms();
  int cut = 0;
  for (const auto& [link, owned] : links_) {
    if (link->was_cut()) continue;
    // Twice in a row: its event loop may just be about to see the end itself.
    const bool was_deserted = std::exchange(link->was_deserted_, link->is_deserted());
    if (was_deserted && link->was_deserted_) {
      ::shutdown(link->socket_, SHUT_RDWR);
      continue;
    }
    if (!link->is_overdue(limits_, now)) continue;
    link->cut_ = true;
    const linger at_once{.l_onoff = 1, .l_linger = 0};  // or the kernel would keep what he does not read
    ::setsockopt(link->socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::shutdown(link->socket_, SHUT_RDWR);  // its event loop sees the end, and closes it
    ++cut;
  }
  if (cut > 0) log::info("closed {} connections whose clients were too slow", cut);
}

}  // namespace imago::http
