// SPDX-License-Identifier: Apache-2.0
// What a run's record keeps between epochs: the trainer's steps, thinned out, and what they cost the machine.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "json/json.hpp"

namespace imago::pipeline {

/// "step/loss", "step/accuracy", "step/learning_rate", "step/images_per_second", "system/cpu_percent" (of one core),
/// "system/memory_megabytes", and of GPUs what the trainer says of them; by the run's step.
struct StepMetrics {
  std::int64_t step = 0;
  std::map<std::string, double> values;
};

/// Keeps about one step a second of the first ten minutes, then ever fewer: a day's run has some four thousand. One for
/// one process of training.
class StepSampler {
 public:
  /// @param event a "step" event of docs/formats/trainer.md. Nothing when its turn has not come.
  std::optional<StepMetrics> take(const json::Value& event, SteadyTime now);

 private:
  std::optional<SteadyTime> first_, last_;
  double last_cpu_seconds_ = 0.0;
};

}  // namespace imago::pipeline
