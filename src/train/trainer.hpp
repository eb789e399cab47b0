// SPDX-License-Identifier: Apache-2.0
// The training loop: epochs over a split, a schedule, validation, early stopping, checkpoints; nothing else. Whoever
// wants to know what happens passes an Observer.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "data/augment.hpp"
#include "data/packed.hpp"
#include "image/preprocess.hpp"
#include "nn/learner.hpp"
#include "train/schedule.hpp"

namespace imago::train {

struct TrainSettings {
  double epochs = 10;  ///< may end within one: of the last, only the first batches are taken
  int batch_size = 64;
  ScheduleSettings schedule;
  data::Augmentation augmentation;
  std::uint64_t seed = 1;
  /// Training stops in time to end within this budget, whatever the machine's speed, and the schedule is stretched or
  /// cut to fit: progress is the larger of the share of steps and the share of time. 0: no budget.
  std::chrono::milliseconds max_time{0};
  int early_stopping_patience = 0;  ///< epochs without a lower validation loss; 0: off
  bool restore_best = true;         ///< end with the weights of the best validation epoch rather than the last
  /// The bias of a whitening convolution learns for so many epochs; 0: as long as the rest.
  int whitening_bias_epochs = 0;
  bool whitening_bias_to_zero =
      false;  ///< its rate falls over these in a line from the peak to 0, whatever the schedule
  /// Every so many steps Learner::look_ahead is called, with decay lookahead_decay^lookahead_steps * progress^3, and
  /// with decay 1 at the end (airbench); 0: never.
  int lookahead_steps = 0;
  double lookahead_decay = 0.95;
  /// After so many epochs with a frozen backbone all of it learns, at the schedule's rate times unfreeze_rate_factor;
  /// 0: it stays frozen.
  int unfreeze_epoch = 0;
  double unfreeze_rate_factor = 0.1;
  std::chrono::seconds checkpoint_every{30};
  nn::Communicator* team = nullptr;  ///< those who train together, the learner's own; null: alone
  bool keep_weights = false;         ///< the learner was given what it starts from: no filter is set from the data
};

struct StepEvent {
  int epoch = 0;                 ///< from 1
  int epochs = 0;                ///< begun in the whole run
  std::int64_t step = 0;         ///< from 1, over the whole run
  std::int64_t total_steps = 0;  ///< as now expected
  double loss = 0.0;             ///< moving mean over recent steps
  double accuracy = 0.0;         ///< likewise, on augmented training images
  double learning_rate = 0.0;
  double images_per_second = 0.0;
  std::chrono::milliseconds elapsed{0};
  std::chrono::milliseconds remaining{0};  ///< estimate
};

struct EpochEvent {
  int epoch = 0;
  double loss = 0.0, accuracy = 0.0;          ///< means over the epoch's training batches
  double val_loss = 0.0, val_accuracy = 0.0;  ///< on the whole validation split
  double learning_rate = 0.0;
  std::chrono::milliseconds elapsed{0};
  bool best = false;
};

class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_note(const std::string&) {}  ///< a line about how it is done
  virtual void on_step(const StepEvent&) {}
  virtual void on_epoch(const EpochEvent&) {}
};

enum class StopReason { Finished, TimeBudget, EarlyStopping, Interrupted };
std::string_view to_string(StopReason reason) noexcept;

struct TrainOutcome {
  StopReason reason = StopReason::Finished;
  int epochs_done = 0;
  int best_epoch = 0;
  std::int64_t steps = 0;
  std::chrono::milliseconds elapsed{0};
  std::vector<EpochEvent> history;
  bool restored_best = false;  ///< the weights are those of best_epoch, not of the last

  /// The epoch whose weights the learner holds; none before the first validation.
  [[nodiscard]] const EpochEvent* kept_epoch() const {
    for (const EpochEvent& event : history) {
      if (restored_best && event.epoch == best_epoch) return &event;
    }
    return history.empty() ? nullptr : &history.back();
  }
};

struct TrainingData {
  const data::PackedSplit& train;
  const data::PackedSplit& validation;
  const image::Preprocess& preprocess;
};

/// Trains `learner`; on return it holds the final (or best) weights; both are then in `run_folder` as last.safetensors
/// and best.safetensors. Checkpoints go to `run_folder`/checkpoint.bin, whole or not at all; with `resume` the run goes
/// on from there. When `stop` becomes true the loop writes a checkpoint
/// and returns Interrupted.
Result<TrainOutcome> fit(nn::Learner& learner, const TrainingData& data, const TrainSettings& settings,
                         const std::filesystem::path& run_folder, bool resume, const std::atomic<bool>& stop,
                         Observer& observer, const Clock& clock = system_clock());

}  // namespace imago::train
