// SPDX-License-Identifier: Apache-2.0
#include "train/progress.hpp"

#include <algorithm>

namespace imago::train {
namespace {

/// Weight of the newest step in the moving means.
constexpr double kRecent = 0.02;

}  // namespace

void Progress::note_step(const nn::StepReport& report, int n) {
  const double accuracy = static_cast<double>(report.correct) / n;
  const double weight = steps == 0 ? 1.0 : kRecent;
  recent_loss += weight * (report.loss - recent_loss);
  recent_accuracy += weight * (accuracy - recent_accuracy);
  loss_sum += report.loss * n;
  correct += report.correct;
  images += n;
  ++batch;
  ++steps;
}

EpochEvent Progress::close_epoch(const Validation& validation, double learning_rate, std::chrono::milliseconds now) {
  const double n = std::max(1.0, static_cast<double>(images));
  const EpochEvent event{.epoch = ++epoch,
                         .loss = loss_sum / n,
                         .accuracy = static_cast<double>(correct) / n,
                         .val_loss = validation.loss,
                         .val_accuracy = validation.accuracy,
                         .learning_rate = learning_rate,
                         .elapsed = now,
                         .best = validation.loss < best_loss};
  if (event.best) {
    best_loss = validation.loss;
    best_epoch = epoch;
  }
  history.push_back(event);
  batch = images = correct = 0;
  loss_sum = 0.0;
  return event;
}

std::vector<double> Progress::validation_losses() const {
  std::vector<double> losses;
  for (const EpochEvent& event : history) losses.push_back(event.val_loss);
  return losses;
}

}  // namespace imago::train
