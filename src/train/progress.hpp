// SPDX-License-Identifier: Apache-2.0
// How far a run has come.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <vector>

#include "nn/learner.hpp"
#include "train/trainer.hpp"
#include "train/validation.hpp"

namespace imago::train {

/// With the learner's state, all that the next step depends on.
struct Progress {
  int epoch = 0;           ///< being worked on, from 0
  std::int64_t batch = 0;  ///< of that epoch, the next one
  std::int64_t steps = 0;  ///< taken in all
  std::chrono::milliseconds elapsed{0};
  double loss_sum = 0.0;  ///< over the epoch's images so far
  std::int64_t correct = 0;
  std::int64_t images = 0;
  double recent_loss = 0.0;  ///< moving means
  double recent_accuracy = 0.0;
  int best_epoch = 0;  ///< from 1; 0: none yet
  double best_loss = std::numeric_limits<double>::max();
  std::vector<EpochEvent> history;

  /// A step on `n` images was taken.
  void note_step(const nn::StepReport& report, int n);
  /// The epoch is over and this is what it came to; the next one begins.
  EpochEvent close_epoch(const Validation& validation, double learning_rate, std::chrono::milliseconds now);

  [[nodiscard]] int epochs_since_best() const { return epoch - best_epoch; }
  [[nodiscard]] std::vector<double> validation_losses() const;  ///< of each epoch done
};

}  // namespace imago::train
