// SPDX-License-Identifier: Apache-2.0
// The images that wait for an engine: who is admitted, who is next, who has waited too long. No threads and no clock of
// its own: Batcher has those.
#pragma once

#include <array>
#include <chrono>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace imago::infer {

enum class Priority { High, Normal, Low };
inline constexpr std::size_t kPriorities = 3;

/// One image's way through, for metrics.
struct Timing {
  std::chrono::microseconds queue{0};
  std::chrono::microseconds infer{0};
  int batch_size = 0;
};

/// Must not block.
using OnLogits = std::function<void(Result<std::vector<float>> logits, Timing timing)>;

struct Waiting {
  std::vector<float> image;
  SteadyTime queued;
  SteadyTime deadline;
  Priority priority = Priority::Normal;
  OnLogits done;
};

/// First come, first served, where a step of priority counts as having come kHeadStart earlier. So nobody starves: a
/// low image is overtaken only by normal ones that came less than one kHeadStart after it, and high ones less than two.
/// Not guarded against threads.
class WaitingLine {
 public:
  static constexpr std::chrono::seconds kHeadStart{1};

  explicit WaitingLine(std::size_t capacity) : capacity_(capacity) {}

  /// Whether push would take one of this priority: there is room, or somebody of lower priority to give up a place.
  [[nodiscard]] bool admits(Priority priority) const;
  /// Only what is admitted. When the line was full, the last to come of the lowest priority leaves and is returned.
  std::optional<Waiting> push(Waiting item);

  struct Taken {
    std::vector<Waiting> batch;    ///< to be computed, `most` at the most
    std::vector<Waiting> expired;  ///< their deadline passed before `now`; they take no place in the batch
  };
  Taken take(std::size_t most, SteadyTime now);

  /// Until when those who wait can wait for company: `delay` from their arrival, but not beyond half of the time that
  /// a client gave. The end of time when nobody waits.
  [[nodiscard]] SteadyTime patience_ends(std::chrono::microseconds delay) const;

  [[nodiscard]] std::size_t size() const;

 private:
  /// The priority whose first is next; kPriorities when nobody waits.
  [[nodiscard]] std::size_t next() const;

  const std::size_t capacity_;
  std::array<std::deque<Waiting>, kPriorities> lines_;  // by priority, each in order of arrival
};

}  // namespace imago::infer
