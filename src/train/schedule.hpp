// SPDX-License-Identifier: Apache-2.0
// Learning rate over a run, as a function of progress alone.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace imago::train {

enum class ScheduleKind { Constant, Step, Cosine, OneCycle, Triangle };

struct ScheduleSettings {
  ScheduleKind kind = ScheduleKind::Constant;
  double peak = 1e-3;         ///< the highest rate
  double start_factor = 0.1;  ///< OneCycle, Triangle, Cosine: rate at the start, as a share of peak
  double end_factor = 0.0;    ///< OneCycle, Triangle, Cosine: rate at the end, as a share of peak
  double warmup_share = 0.0;  ///< share of the run over which the rate rises linearly
  int step_epochs = 2;        ///< Step: every so many epochs ...
  double step_factor = 0.5;   ///< ... the rate is multiplied by this
};

std::string_view to_string(ScheduleKind kind) noexcept;  ///< "constant", "step", "cosine", "one-cycle", "triangle"
Result<ScheduleKind> schedule_kind_from(std::string_view name);

/// The rate for the next step. @param progress share of the run done, in [0, 1]. @param epoch from 0 (for Step).
double learning_rate(const ScheduleSettings& settings, double progress, int epoch);

}  // namespace imago::train
