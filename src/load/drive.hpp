// SPDX-License-Identifier: Apache-2.0
// A measurement: requests on their way in a closed loop (as many as there are connections, each answer followed by the
// next request) or an open one (at a rate, whatever comes back), answers checked and latencies kept.
//
// In an open loop a latency counts from when the request was due, not from when a connection was free to send it: a
// server that stands still for a second is late for all that were due in that second, not only for those it had (Gil
// Tene, "How NOT to measure latency", 2013: coordinated omission).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "load/arrivals.hpp"
#include "load/expected.hpp"
#include "monitor/latency_histogram.hpp"

namespace imago::load {

struct Answer {
  std::uint64_t ticket;
  int status;  ///< 0: there was none
  std::string_view body;
  std::string_view problem;
};

/// What carries requests: HTTP, or a test's stand-in.
class Transport {
 public:
  virtual ~Transport() = default;
  [[nodiscard]] virtual std::size_t idle() const = 0;
  virtual void send(std::uint64_t ticket, std::size_t image) = 0;
  /// Until something was answered, or `until`, or a signal. `on_answer` may send.
  virtual void wait(SteadyTime until, const std::function<void(const Answer&)>& on_answer) = 0;
};

struct Plan {
  std::chrono::duration<double> seconds{10};
  double rate = 0.0;  ///< requests a second; 0: a closed loop
  Pace pace = Pace::Poisson;
  std::uint64_t seed = 1;
  std::chrono::duration<double> patience{10};  ///< with what is on its way or still due when the time is up
};

struct Measured {
  double seconds = 0.0;  ///< from the start to the last answer
  double rate = 0.0;     ///< asked for; 0: a closed loop
  std::uint64_t right = 0;
  std::uint64_t wrong = 0;   ///< answered otherwise than the model does
  std::uint64_t failed = 0;  ///< answered with another status than 200, or not at all
  std::uint64_t unsent = 0;  ///< due, but no connection became free in time
  std::map<int, std::uint64_t> by_status;
  monitor::FineLatencyHistogram latencies;  ///< of right and wrong answers; of the unsent, how late they are by now
  monitor::FineLatencyHistogram lateness;   ///< between due and sent (open loop)
  /// Of right and wrong answers in an open loop, without the lateness: what the server alone answers for.
  monitor::FineLatencyHistogram since_sent;
  std::chrono::microseconds slowest{0};
  double microseconds = 0.0;  ///< sum of the latencies
  std::string first_problem;

  [[nodiscard]] std::uint64_t answered() const { return right + wrong + failed; }
  /// Right answers a second.
  [[nodiscard]] double throughput() const { return seconds > 0.0 ? static_cast<double>(right) / seconds : 0.0; }
};

/// @param expected  what is sent goes round its images.
/// @param stop      true: no more is sent, what was measured so far is returned.
/// @param on_tick   about ten times a second, with what is there.
Measured drive(Transport& transport, const Plan& plan, const Expected& expected, const Clock& clock,
               const std::atomic<bool>& stop, const std::function<void(const Measured&)>& on_tick);

}  // namespace imago::load
