// SPDX-License-Identifier: Apache-2.0
#include "train/trainer.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/files.hpp"
#include "base/log.hpp"
#include "model/safetensors.hpp"
#include "train/checkpoint.hpp"
#include "train/loader.hpp"
#include "train/pace.hpp"
#include "train/progress.hpp"
#include "train/run_identity.hpp"
#include "train/sharding.hpp"
#include "train/validation.hpp"

namespace imago::train {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

enum class EpochEnd { Whole, OutOfTime, Stopped };

/// A forward pass costs about a third of a training step.
constexpr double kForwardShare = 1.0 / 3.0;
/// Pixels from which whitening filters are computed: 5,000 images of 32 x 32, as in airbench.
constexpr std::size_t kWhiteningPixels = std::size_t{5000} * 32 * 32;

Result<void> check(const TrainingData& data, const TrainSettings& settings) {
  if (!(settings.epochs > 0.0))
    return fail(ErrorCode::InvalidArgument, "epochs is {}: train for more than 0", settings.epochs);
  if (settings.batch_size < 1)
    return fail(ErrorCode::InvalidArgument, "batch_size is {}: it must be 1 or more", settings.batch_size);
  if (const int workers = Sharding(settings.team).size();
      std::min(static_cast<std::size_t>(settings.batch_size), data.train.size()) < static_cast<std::size_t>(workers)) {
    return fail(ErrorCode::InvalidArgument, "a batch of {} of {} images is too small for {} workers",
                settings.batch_size, data.train.size(), workers);
  }
  if (data.train.size() == 0) return fail(ErrorCode::InvalidArgument, "there are no training images");
  if (data.validation.size() == 0) return fail(ErrorCode::InvalidArgument, "there are no validation images");
  return {};
}

/// As airbench counts them; a product that is whole but for its rounding is whole.
std::int64_t steps_of(double epochs, std::int64_t batches) {
  return std::max<std::int64_t>(1, std::llround(std::ceil(epochs * static_cast<double>(batches) - 1e-6)));
}

class Run {
 public:
  Run(nn::Learner& learner, const TrainingData& data, const TrainSettings& settings, const fs::path& run_folder,
      const std::atomic<bool>& stop, Observer& observer, const Clock& clock)
      : learner_(learner),
        data_(data),
        settings_(settings),
        sharding_(settings.team),
        run_folder_(run_folder),
        checkpoint_path_(run_folder / "checkpoint.bin"),
        stop_(stop),
        observer_(observer),
        clock_(clock),
        batches_(batches_per_epoch(data.train.size(), settings.batch_size)),
        batch_size_(std::min(static_cast<double>(settings.batch_size), static_cast<double>(data.train.size()))),
        total_steps_(steps_of(settings.epochs, batches_)),
        epochs_(static_cast<int>((total_steps_ + batches_ - 1) / batches_)),
        pace_(total_steps_, settings.max_time,
              kForwardShare * static_cast<double>(data.validation.size()) / batch_size_),
        started_(clock.steady()),
        saved_(started_) {}

  Result<void> begin() {
    const std::size_t size = data_.train.size();
    const auto pixels = static_cast<std::size_t>(data_.train.width()) * static_cast<std::size_t>(data_.train.height());
    const std::size_t count = std::clamp<std::size_t>(kWhiteningPixels / pixels, 1, size);
    std::vector<std::size_t> indices(count);
    for (std::size_t i = 0; i < count; ++i) indices[i] = i * size / count;
    return learner_.initialize_from(load_images(data_.train, data_.preprocess, indices));
  }

  Result<void> resume() {
    TRY(auto checkpoint, read_checkpoint(checkpoint_path_));
    return restore(std::move(checkpoint), checkpoint_path_.string());
  }

  /// All go on from where the first process is.
  Result<void> share_start() {
    if (sharding_.alone()) return {};
    std::string bytes;
    if (sharding_.leads()) {
      TRY(const auto mine, checkpoint());
      bytes = encode_checkpoint(mine);
    }
    TRY_VOID(sharding_.share(bytes));
    if (sharding_.leads()) return {};
    TRY(auto theirs, decode_checkpoint(bytes));
    return restore(std::move(theirs), "what the first worker has");
  }

  /// The images go where the learner computes, if it takes them there.
  Result<void> hold_images() {
    TRY(const auto holding, learner_.hold(data_.train, data_.preprocess, settings_.augmentation));
    held_ = holding.holds;
    if (!holding.note.empty()) observer_.on_note(holding.note);
    return {};
  }

  /// After another process was lost: everything is as before the step that failed.
  void rescue() {
    if (const auto saved = save(); !saved) log::warning("no checkpoint was written: {}", saved.error().message);
  }

  Result<TrainOutcome> train() {
    while (progress_.epoch < epochs_) {
      TRY(const EpochEnd end, train_epoch());
      if (end == EpochEnd::Stopped) {
        TRY_VOID(save());
        return outcome(StopReason::Interrupted);
      }
      if (end == EpochEnd::OutOfTime || progress_.epoch + 1 == epochs_) TRY_VOID(look_ahead(1.0));
      TRY_VOID(finish_epoch());
      if (end == EpochEnd::OutOfTime) return finish(StopReason::TimeBudget);
      if (lost_patience()) return finish(StopReason::EarlyStopping);
      if (is_unfrozen()) TRY_VOID(learner_.unfreeze());  // before a checkpoint names the new epoch
      TRY_VOID(save_if_due());
    }
    return finish(StopReason::Finished);
  }

 private:
  Result<void> restore(Checkpoint checkpoint, const std::string& source) {
    if (checkpoint.run != identify(data_, settings_)) {
      return fail(ErrorCode::InvalidArgument, "{} belongs to a run with other settings or data: start a new run",
                  source);
    }
    progress_ = std::move(checkpoint.progress);
    if (is_unfrozen()) TRY_VOID(learner_.unfreeze());
    TRY_VOID(learner_.load_state(checkpoint.learner));
    best_weights_ = std::move(checkpoint.best_weights);
    before_ = progress_.elapsed;
    return {};
  }

  Result<EpochEnd> train_epoch() {
    BatchLoader loader(
        data_.train, data_.preprocess,
        {settings_.batch_size, settings_.seed, settings_.augmentation, 0, sharding_.rank(), sharding_.size(), held_},
        progress_.epoch, progress_.batch);
    drops_ = rate_drops(settings_.schedule, progress_.validation_losses());
    const std::int64_t end = std::min(batches_, total_steps_ - progress_.epoch * batches_);
    while (progress_.batch < end) {
      TRY(turn_, sharding_.agree({.stop = stop_,
                                  .out_of_time = pace_.out_of_time(elapsed()),
                                  .progress = pace_.progress(progress_.steps, elapsed())}));
      if (turn_.stop) return EpochEnd::Stopped;
      if (turn_.out_of_time) return EpochEnd::OutOfTime;
      const auto began = clock_.steady();
      auto batch = loader.next();
      EXPECTS(batch.has_value(), "the loader ended before the epoch did");
      TRY_VOID(take_step(*batch));
      TRY_VOID(look_ahead_if_due());
      loader.recycle(std::move(*batch));
      pace_.note_step(clock_.steady() - began);
      report_step();
      TRY_VOID(save_if_due());
    }
    return EpochEnd::Whole;
  }

  Result<void> take_step(const nn::Batch& batch) {
    rate_ = learning_rate(settings_.schedule, turn_.progress, drops_) *
            (is_unfrozen() ? settings_.unfreeze_rate_factor : 1.0);
    TRY(const nn::StepReport report,
        learner_.step(batch, {.learning_rate = rate_, .whitening_bias_rate = whitening_bias_rate()}));
    progress_.note_step(report, static_cast<int>(batch_size_));
    return {};
  }

  [[nodiscard]] std::optional<double> whitening_bias_rate() const {
    const int epochs = settings_.whitening_bias_epochs;
    if (epochs > 0 && progress_.epoch >= epochs) return std::nullopt;
    if (epochs == 0 || !settings_.whitening_bias_to_zero) return rate_;
    return settings_.schedule.peak *
           (1.0 - static_cast<double>(progress_.steps) / static_cast<double>(epochs * batches_));
  }

  Result<void> look_ahead(double decay) {
    if (settings_.lookahead_steps == 0) return {};
    return learner_.look_ahead(decay);
  }

  Result<void> look_ahead_if_due() {
    const int every = settings_.lookahead_steps;
    if (every == 0 || progress_.steps % every != 0) return {};
    return look_ahead(std::pow(settings_.lookahead_decay, every) *
                      std::pow(std::max(turn_.progress, pace_.share_of_steps(progress_.steps)), 3));
  }

  void report_step() {
    const auto now = elapsed();
    const double step_seconds = std::chrono::duration<double>(pace_.step_time()).count();
    observer_.on_step({.epoch = progress_.epoch + 1,
                       .epochs = epochs_,
                       .step = progress_.steps,
                       .total_steps = pace_.expected_steps(progress_.steps, now),
                       .loss = progress_.recent_loss,
                       .accuracy = progress_.recent_accuracy,
                       .learning_rate = rate_,
                       .images_per_second = step_seconds > 0.0 ? batch_size_ / step_seconds : 0.0,
                       .elapsed = duration_cast<milliseconds>(now),
                       .remaining = duration_cast<milliseconds>(pace_.remaining(progress_.steps, now))});
  }

  /// Validates, keeps the weights if they are the best so far, and moves on to the next epoch. An epoch without a step,
  /// because time ran out just before it, leaves no trace once there is another.
  Result<void> finish_epoch() {
    if (progress_.images == 0 && !progress_.history.empty()) return {};
    const auto began = clock_.steady();
    TRY(const Validation validation, validate(learner_, data_.validation, data_.preprocess, sharding_));
    pace_.note_validation(clock_.steady() - began);
    if (!std::isfinite(validation.loss)) {
      return fail(ErrorCode::Internal, "the validation loss became {} at learning rate {}: lower schedule.peak",
                  validation.loss, rate_);
    }
    const EpochEvent event = progress_.close_epoch(validation, rate_, duration_cast<milliseconds>(elapsed()));
    if (event.best) {
      TRY(best_weights_, encoded_weights());
    }
    observer_.on_epoch(event);
    return {};
  }

  [[nodiscard]] bool is_unfrozen() const {
    return settings_.unfreeze_epoch > 0 && progress_.epoch >= settings_.unfreeze_epoch;
  }

  [[nodiscard]] Result<std::string> encoded_weights() const {
    TRY(const auto weights, learner_.weights());
    return model::encode_safetensors(weights);
  }

  [[nodiscard]] bool lost_patience() const {
    const int patience = settings_.early_stopping_patience;
    return patience > 0 && progress_.epochs_since_best() >= patience;
  }

  Result<TrainOutcome> finish(StopReason reason) {
    TrainOutcome done = outcome(reason);
    TRY(const auto last, encoded_weights());
    if (sharding_.leads()) {
      TRY_VOID(write_file_atomic(run_folder_ / "last.safetensors", last));
      TRY_VOID(write_file_atomic(run_folder_ / "best.safetensors", best_weights_));
    }
    if (settings_.restore_best && !best_weights_.empty()) {
      TRY(const auto weights, model::decode_safetensors(as_bytes(best_weights_)));
      TRY_VOID(learner_.set_weights(weights));
      done.restored_best = true;
    }
    return done;
  }

  [[nodiscard]] TrainOutcome outcome(StopReason reason) const {
    return {.reason = reason,
            .epochs_done = progress_.epoch,
            .best_epoch = progress_.best_epoch,
            .steps = progress_.steps,
            .elapsed = duration_cast<milliseconds>(elapsed()),
            .history = progress_.history};
  }

  Result<void> save_if_due() {
    if (clock_.steady() - saved_ < settings_.checkpoint_every) return {};
    return save();
  }

  Result<void> save() {
    saved_ = clock_.steady();
    if (!sharding_.leads()) return {};
    TRY(const auto now, checkpoint());
    return write_checkpoint(checkpoint_path_, now);
  }

  [[nodiscard]] Result<Checkpoint> checkpoint() const {
    Checkpoint now{identify(data_, settings_), progress_, {}, best_weights_};
    now.progress.elapsed = duration_cast<milliseconds>(elapsed());
    TRY(now.learner, learner_.save_state());
    return now;
  }

  [[nodiscard]] nanoseconds elapsed() const { return before_ + (clock_.steady() - started_); }

  nn::Learner& learner_;
  const TrainingData& data_;
  const TrainSettings& settings_;
  const Sharding sharding_;
  const fs::path run_folder_, checkpoint_path_;
  const std::atomic<bool>& stop_;
  Observer& observer_;
  const Clock& clock_;
  const std::int64_t batches_;  // an epoch
  const double batch_size_;     // smaller than the settings' when there are fewer images
  const std::int64_t total_steps_;
  const int epochs_;  // begun; of the last, some batches may be left out
  Pace pace_;
  const SteadyTime started_;
  SteadyTime saved_;       // when the last checkpoint was written
  nanoseconds before_{0};  // time spent before a resume
  bool held_ = false;      // by the learner: the training images
  Progress progress_;
  Sharding::Turn turn_;  // what was agreed on before this step
  double rate_ = 0.0;
  int drops_ = 0;             // of the rate, by the epochs before this one
  std::string best_weights_;  // safetensors
};

}  // namespace

std::string_view to_string(StopReason reason) noexcept {
  switch (reason) {
    case StopReason::Finished: return "finished";
    case StopReason::TimeBudget: return "time_budget";
    case StopReason::EarlyStopping: return "early_stopping";
    case StopReason::Interrupted: return "interrupted";
  }
  return "finished";
}

Result<TrainOutcome> fit(nn::Learner& learner, const TrainingData& data, const TrainSettings& settings,
                         const fs::path& run_folder, bool resume, const std::atomic<bool>& stop, Observer& observer,
                         const Clock& clock) {
  TRY_VOID(check(data, settings));
  const Sharding sharding(settings.team);
  if (sharding.leads()) TRY_VOID(make_directories(run_folder));
  Run run(learner, data, settings, run_folder, stop, observer, clock);
  if (sharding.leads() && resume) {
    TRY_VOID(run.resume());
  } else if (sharding.leads() && !settings.keep_weights) {
    TRY_VOID(run.begin());
  }
  TRY_VOID(run.share_start());
  TRY_VOID(run.hold_images());
  auto outcome = run.train();
  if (!outcome && outcome.error().code == ErrorCode::Unavailable && !sharding.alone()) run.rescue();
  return outcome;
}

}  // namespace imago::train
