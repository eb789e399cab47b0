// SPDX-License-Identifier: Apache-2.0
// Time as an argument, so that a test can hold it still.
#pragma once

#include <chrono>
#include <string>

namespace imago {

using WallTime = std::chrono::system_clock::time_point;
using SteadyTime = std::chrono::steady_clock::time_point;

class Clock {
 public:
  virtual ~Clock() = default;
  /// Calendar time, for records.
  [[nodiscard]] virtual WallTime wall() const = 0;
  /// Time that never goes back, for durations and deadlines.
  [[nodiscard]] virtual SteadyTime steady() const = 0;
};

/// The machine's clock. Safe from any thread.
const Clock& system_clock();

/// For tests: stands still until told. Not safe from several threads.
class FakeClock final : public Clock {
 public:
  [[nodiscard]] WallTime wall() const override { return wall_; }
  [[nodiscard]] SteadyTime steady() const override { return steady_; }
  void advance(std::chrono::nanoseconds by) {
    wall_ += std::chrono::duration_cast<WallTime::duration>(by);
    steady_ += std::chrono::duration_cast<SteadyTime::duration>(by);
  }

 private:
  WallTime wall_{std::chrono::seconds{1'700'000'000}};
  SteadyTime steady_{std::chrono::seconds{1}};
};

/// RFC 3339 in UTC with milliseconds: "2026-11-21T04:16:00.123Z".
std::string format_utc(WallTime time);

}  // namespace imago
