// SPDX-License-Identifier: Apache-2.0
#include "pipeline/step_metrics.hpp"

#include <algorithm>
#include <string_view>

namespace imago::pipeline {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr Seconds kShortest{1.0};
/// A step is kept when this share of the run so far has gone by since the last one.
constexpr double kShare = 1.0 / 600.0;

}  // namespace

std::optional<StepMetrics> StepSampler::take(const json::Value& event, SteadyTime now) {
  if (!first_) first_ = now;
  const Seconds pause = std::max(kShortest, Seconds(now - *first_) * kShare);
  if (last_ && now - *last_ < pause) return std::nullopt;

  StepMetrics sample{.step = event.value("step", std::int64_t{0}), .values = {}};
  for (const char* name : {"loss", "accuracy", "learning_rate", "images_per_second"}) {
    if (event.contains(name) && event[name].is_number())
      sample.values[std::string("step/") + name] = event[name].get<double>();
  }
  const json::Value system = event.value("system", json::Value::object());
  for (const auto& [name, value] : system.items()) {
    if (value.is_number() && name != "cpu_seconds") sample.values["system/" + name] = value.get<double>();
  }
  const double cpu_seconds = system.value("cpu_seconds", 0.0);
  if (last_ && cpu_seconds > 0.0)
    sample.values["system/cpu_percent"] = 100.0 * (cpu_seconds - last_cpu_seconds_) / Seconds(now - *last_).count();
  last_cpu_seconds_ = cpu_seconds;
  last_ = now;
  return sample;
}

}  // namespace imago::pipeline
