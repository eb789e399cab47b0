// SPDX-License-Identifier: Apache-2.0
#include "train/schedule.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

namespace imago::train {
namespace {

constexpr std::array<std::pair<ScheduleKind, std::string_view>, 6> kNames{{{ScheduleKind::Constant, "constant"},
                                                                           {ScheduleKind::Step, "step"},
                                                                           {ScheduleKind::Cosine, "cosine"},
                                                                           {ScheduleKind::OneCycle, "one-cycle"},
                                                                           {ScheduleKind::Triangle, "triangle"},
                                                                           {ScheduleKind::Plateau, "plateau"}}};

double linear(double from, double to, double share) { return from + (to - from) * share; }

/// Half a cosine wave from `from` to `to`.
double cosine(double from, double to, double share) {
  return to + (from - to) * 0.5 * (1.0 + std::cos(std::numbers::pi * share));
}

/// The rate after the warm-up, as a share of the peak. @param share of that part of the run, in [0, 1].
double after_warmup(const ScheduleSettings& settings, double share, int drops) {
  switch (settings.kind) {
    case ScheduleKind::Constant: return 1.0;
    case ScheduleKind::Step: return std::pow(settings.step_factor, drops);
    case ScheduleKind::Plateau: return std::max(std::pow(settings.step_factor, drops), settings.end_factor);
    case ScheduleKind::Cosine:
    case ScheduleKind::OneCycle: return cosine(1.0, settings.end_factor, share);
    case ScheduleKind::Triangle: return linear(1.0, settings.end_factor, share);
  }
  EXPECTS(false, "a schedule without a formula");
}

}  // namespace

std::string_view to_string(ScheduleKind kind) noexcept {
  return std::ranges::find(kNames, kind, &std::pair<ScheduleKind, std::string_view>::first)->second;
}

Result<ScheduleKind> schedule_kind_from(std::string_view name) {
  for (const auto& [kind, known] : kNames) {
    if (known == name) return kind;
  }
  return fail(ErrorCode::InvalidArgument,
              "no schedule '{}': there are constant, step, cosine, one-cycle, triangle and plateau", name);
}

int rate_drops(const ScheduleSettings& settings, std::span<const double> losses) {
  if (settings.kind == ScheduleKind::Step) return static_cast<int>(losses.size()) / settings.step_epochs;
  if (settings.kind != ScheduleKind::Plateau) return 0;
  double best = std::numeric_limits<double>::infinity();
  int drops = 0, still = 0;
  for (const double loss : losses) {
    const bool progress = loss < best * (1.0 - settings.plateau_threshold);
    if (progress) best = loss;
    still = progress ? 0 : still + 1;
    if (still <= settings.plateau_patience) continue;
    ++drops;
    still = 0;
  }
  return drops;
}

double learning_rate(const ScheduleSettings& settings, double progress, int drops) {
  progress = std::clamp(progress, 0.0, 1.0);
  const double warmup = settings.warmup_share;
  if (progress < warmup) {
    const auto rise = settings.kind == ScheduleKind::OneCycle ? cosine : linear;
    return settings.peak * rise(settings.start_factor, 1.0, progress / warmup);
  }
  const double share = warmup < 1.0 ? (progress - warmup) / (1.0 - warmup) : 0.0;
  return settings.peak * after_warmup(settings, share, drops);
}

}  // namespace imago::train
