// SPDX-License-Identifier: Apache-2.0
// Learning rate over a run: a function of how far it is, and for some kinds of the epochs behind it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace imago::train {

enum class ScheduleKind { Constant, Step, Cosine, OneCycle, Triangle, Plateau };

struct ScheduleSettings {
  ScheduleKind kind = ScheduleKind::Constant;
  double peak = 1e-3;         ///< the highest rate
  double start_factor = 0.1;  ///< OneCycle, Triangle, Cosine: rate at the start, as a share of peak
  double end_factor = 0.0;    ///< OneCycle, Triangle, Cosine: rate at the end, as a share of peak; Plateau: the least
  double warmup_share = 0.0;  ///< share of the run over which the rate rises linearly
  int step_epochs = 2;        ///< Step: every so many epochs ...
  double step_factor = 0.5;   ///< ... the rate is multiplied by this; Plateau: when the validation loss stands still
  int plateau_patience = 10;  ///< Plateau: so many epochs without progress are borne, the next one lowers the rate
  double plateau_threshold = 1e-4;  ///< Plateau: progress is a loss below best * (1 - this)
};

std::string_view to_string(
    ScheduleKind kind) noexcept;  ///< "constant", "step", "cosine", "one-cycle", "triangle", "plateau"
Result<ScheduleKind> schedule_kind_from(std::string_view name);

/// How often the rate has been multiplied by step_factor: Step by the epochs done, Plateau by what they came to
/// (PyTorch's ReduceLROnPlateau, mode min, threshold rel). @param losses of validation, one for each epoch done.
int rate_drops(const ScheduleSettings& settings, std::span<const double> losses);

/// The rate for the next step. @param progress share of the run done, in [0, 1]. @param drops from rate_drops.
double learning_rate(const ScheduleSettings& settings, double progress, int drops);

}  // namespace imago::train
