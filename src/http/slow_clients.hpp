// SPDX-License-Identifier: Apache-2.0
// Connections whose clients send or read too slowly to be waited for, or have gone in the middle of a request.
// libmicrohttpd closes one on which nothing happens; a byte now and then would keep one open for ever. And it overlooks
// an end that comes together with the last bytes: such a connection would stay until it is idle for too long.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace imago::http {

struct SlowLimits {
  std::chrono::milliseconds headers{60'000};  ///< from the connection's start or its last answer
  std::chrono::milliseconds grace{30'000};    ///< for a body, and for an answer to be read; beyond it, at least
  std::uint64_t bytes_per_second = 1024;      ///< so many on average
};

/// What one connection waits for. Its marks may be set from its own event loop only.
class Link {
 public:
  enum class Phase { Headers, Body, Work, Answer };
  explicit Link(int socket) : socket_(socket) { enter(Phase::Headers); }

  void enter(Phase phase, std::uint64_t bytes = 0);
  /// More of the body has come.
  void count(std::uint64_t bytes) { bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  /// It was closed because its client was too slow.
  [[nodiscard]] bool was_cut() const { return cut_.load(std::memory_order_relaxed); }

 private:
  friend class SlowClients;
  [[nodiscard]] bool is_overdue(const SlowLimits& limits, std::int64_t now_ms) const;
  /// The rest of a request is to come, but its client has sent all that it will.
  [[nodiscard]] bool is_deserted() const;

  const int socket_;
  std::atomic<Phase> phase_{Phase::Headers};
  std::atomic<std::int64_t> since_ms_{0};  // of the steady clock
  std::atomic<std::uint64_t> bytes_{0};    // of the body so far, or of the answer in all
  std::atomic<bool> cut_{false};
  bool was_deserted_ = false;  // when it was looked at last
};

/// Looks at all links a few times in their limits, from a thread of its own. Safe from any thread.
class SlowClients {
 public:
  explicit SlowClients(const SlowLimits& limits);
  ~SlowClients();
  SlowClients(const SlowClients&) = delete;
  SlowClients& operator=(const SlowClients&) = delete;

  /// For a connection that begins. The socket must stay open until `close`.
  Link* open(int socket);
  void close(Link* link);

 private:
  void watch();
  void look();

  const SlowLimits limits_;
  const std::chrono::milliseconds every_;
  std::mutex mutex_;  // guards what follows; held while a socket is shut, so that it is no other's by then
  std::unordered_map<Link*, std::unique_ptr<Link>> links_;
  bool closing_ = false;
  std::condition_variable closed_;
  std::thread thread_;
};

}  // namespace imago::http
