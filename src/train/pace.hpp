// SPDX-License-Identifier: Apache-2.0
// How far along a run is, by steps and by time.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace imago::train {

/// Keeps a run within its time: progress is the larger of the share of steps and the share of time, so the schedule
/// ends where the run does on a fast machine and on a slow one. Time is set aside for a last validation and for a
/// machine that slows down meanwhile.
class Pace {
 public:
  using Duration = std::chrono::nanoseconds;

  /// @param max_time zero: no budget. @param validation_share cost of a validation in training steps, until one has
  /// been timed.
  Pace(std::int64_t total_steps, Duration max_time, double validation_steps)
      : total_steps_(total_steps), max_time_(max_time), validation_steps_(validation_steps) {}

  void note_step(Duration took) { step_ = step_ == Duration{0} ? took : (step_ * 15 + took) / 16; }
  void note_validation(Duration took) { validation_ = took; }

  /// Share of the run that is done, in [0, 1].
  [[nodiscard]] double progress(std::int64_t steps, Duration elapsed) const {
    return std::clamp(std::max(share_of_steps(steps), share_of_time(elapsed)), 0.0, 1.0);
  }
  /// Likewise, by steps alone.
  [[nodiscard]] double share_of_steps(std::int64_t steps) const {
    return static_cast<double>(steps) / static_cast<double>(total_steps_);
  }

  /// True when another step would leave too little time for the last validation.
  [[nodiscard]] bool out_of_time(Duration elapsed) const { return share_of_time(elapsed) >= 1.0; }

  /// Steps of the whole run, as it looks now.
  [[nodiscard]] std::int64_t expected_steps(std::int64_t steps, Duration elapsed) const {
    const double done = progress(steps, elapsed);
    return steps == 0 || done <= 0.0
               ? total_steps_
               : std::min(total_steps_, static_cast<std::int64_t>(static_cast<double>(steps) / done));
  }

  /// Time to the end of training, as it looks now; zero before the first step.
  [[nodiscard]] Duration remaining(std::int64_t steps, Duration elapsed) const {
    const double done = progress(steps, elapsed);
    if (done <= 0.0) return Duration{0};
    const Duration estimate{static_cast<std::int64_t>(static_cast<double>(elapsed.count()) * (1.0 - done) / done)};
    return max_time_ == Duration{0} ? estimate : std::min(estimate, std::max(Duration{0}, max_time_ - elapsed));
  }

  [[nodiscard]] Duration step_time() const { return step_; }

 private:
  static constexpr int kSafety = 2;  // a machine may halve its speed between the last step and the last validation

  [[nodiscard]] Duration reserve() const {
    const Duration guess{static_cast<std::int64_t>(validation_steps_ * static_cast<double>(step_.count()))};
    return kSafety * ((validation_ == Duration{0} ? guess : validation_) + step_);
  }

  [[nodiscard]] double share_of_time(Duration elapsed) const {
    if (max_time_ == Duration{0}) return 0.0;
    const Duration usable = max_time_ - reserve();
    return usable <= Duration{0} ? 1.0 : static_cast<double>(elapsed.count()) / static_cast<double>(usable.count());
  }

  std::int64_t total_steps_;
  Duration max_time_;
  double validation_steps_;
  Duration step_{0};
  Duration validation_{0};
};

}  // namespace imago::train
