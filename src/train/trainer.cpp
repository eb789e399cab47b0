// SPDX-License-Identifier: Apache-2.0
#include "train/trainer.hpp"

#include <algorithm>
#include <cmath>

#include "base/files.hpp"
#include "base/hash.hpp"
#include "json/json.hpp"
#include "model/safetensors.hpp"
#include "train/checkpoint.hpp"
#include "train/loader.hpp"
#include "train/pace.hpp"
#include "train/validation.hpp"

namespace imago::train {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

enum class EpochEnd { Whole, OutOfTime, Stopped };

/// A forward pass costs about a third of a training step.
constexpr double kForwardShare = 1.0 / 3.0;
/// Weight of the newest step in the moving means that are shown.
constexpr double kRecent = 0.02;
/// Pixels from which whitening filters are computed: 5,000 images of 32 x 32, as in airbench.
constexpr std::size_t kWhiteningPixels = std::size_t{5000} * 32 * 32;

Result<void> check(const TrainingData& data, const TrainSettings& settings) {
  if (settings.epochs < 1)
    return fail(ErrorCode::InvalidArgument, "epochs is {}: train for 1 or more", settings.epochs);
  if (settings.batch_size < 1)
    return fail(ErrorCode::InvalidArgument, "batch_size is {}: it must be 1 or more", settings.batch_size);
  if (data.train.size() == 0) return fail(ErrorCode::InvalidArgument, "there are no training images");
  if (data.validation.size() == 0) return fail(ErrorCode::InvalidArgument, "there are no validation images");
  return {};
}

/// Names the run that a checkpoint belongs to. How often checkpoints are written does not matter to it.
std::string identify(const TrainingData& data, const TrainSettings& settings) {
  const ScheduleSettings& s = settings.schedule;
  const json::Value all{
      {"epochs", settings.epochs},
      {"batch_size", settings.batch_size},
      {"seed", settings.seed},
      {"max_time_ms", settings.max_time.count()},
      {"patience", settings.early_stopping_patience},
      {"restore_best", settings.restore_best},
      {"whitening_bias_epochs", settings.whitening_bias_epochs},
      {"schedule",
       {to_string(s.kind), s.peak, s.start_factor, s.end_factor, s.warmup_share, s.step_epochs, s.step_factor}},
      {"augmentation", data::to_json(settings.augmentation)},
      {"preprocess", image::to_json(data.preprocess)},
      {"train", sha256(Bytes(std::as_bytes(data.train.labels())))},
      {"validation", sha256(Bytes(std::as_bytes(data.validation.labels())))}};
  return sha256(json::dump(all));
}

class Run {
 public:
  Run(nn::Learner& learner, const TrainingData& data, const TrainSettings& settings, const fs::path& run_folder,
      const std::atomic<bool>& stop, Observer& observer, const Clock& clock)
      : learner_(learner),
        data_(data),
        settings_(settings),
        checkpoint_path_(run_folder / "checkpoint.bin"),
        stop_(stop),
        observer_(observer),
        clock_(clock),
        batches_(batches_per_epoch(data.train.size(), settings.batch_size)),
        batch_size_(std::min(static_cast<double>(settings.batch_size), static_cast<double>(data.train.size()))),
        pace_(batches_ * settings.epochs, settings.max_time,
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
    if (checkpoint.run != identify(data_, settings_)) {
      return fail(ErrorCode::InvalidArgument, "{} belongs to a run with other settings or data: start a new run",
                  checkpoint_path_.string());
    }
    TRY_VOID(learner_.load_state(checkpoint.learner));
    progress_ = std::move(checkpoint.progress);
    best_weights_ = std::move(checkpoint.best_weights);
    before_ = progress_.elapsed;
    return {};
  }

  Result<TrainOutcome> train() {
    while (progress_.epoch < settings_.epochs) {
      TRY(const EpochEnd end, train_epoch());
      if (end == EpochEnd::Stopped) {
        TRY_VOID(save());
        return outcome(StopReason::Interrupted);
      }
      TRY_VOID(finish_epoch());
      if (end == EpochEnd::OutOfTime) return finish(StopReason::TimeBudget);
      if (lost_patience()) return finish(StopReason::EarlyStopping);
      TRY_VOID(save_if_due());
    }
    return finish(StopReason::Finished);
  }

 private:
  Result<EpochEnd> train_epoch() {
    BatchLoader loader(data_.train, data_.preprocess, {settings_.batch_size, settings_.seed, settings_.augmentation},
                       progress_.epoch, progress_.batch);
    while (progress_.batch < batches_) {
      if (stop_) return EpochEnd::Stopped;
      if (pace_.out_of_time(elapsed())) return EpochEnd::OutOfTime;
      const auto began = clock_.steady();
      auto batch = loader.next();
      EXPECTS(batch.has_value(), "the loader ended before the epoch did");
      TRY_VOID(take_step(*batch));
      loader.recycle(std::move(*batch));
      pace_.note_step(clock_.steady() - began);
      report_step();
      TRY_VOID(save_if_due());
    }
    return EpochEnd::Whole;
  }

  Result<void> take_step(const nn::Batch& batch) {
    const bool freeze = settings_.whitening_bias_epochs > 0 && progress_.epoch >= settings_.whitening_bias_epochs;
    rate_ = learning_rate(settings_.schedule, pace_.progress(progress_.steps, elapsed()), progress_.epoch);
    TRY(const nn::StepReport report, learner_.step(batch, {.learning_rate = rate_, .freeze_whitening_bias = freeze}));
    const int n = batch.images.n;
    const double accuracy = static_cast<double>(report.correct) / n;
    const double weight = progress_.steps == 0 ? 1.0 : kRecent;
    progress_.recent_loss += weight * (report.loss - progress_.recent_loss);
    progress_.recent_accuracy += weight * (accuracy - progress_.recent_accuracy);
    progress_.loss_sum += report.loss * n;
    progress_.correct += report.correct;
    progress_.images += n;
    ++progress_.batch;
    ++progress_.steps;
    return {};
  }

  void report_step() {
    const auto now = elapsed();
    const double step_seconds = std::chrono::duration<double>(pace_.step_time()).count();
    observer_.on_step({.epoch = progress_.epoch + 1,
                       .epochs = settings_.epochs,
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
    TRY(const Validation validation, validate(learner_, data_.validation, data_.preprocess));
    pace_.note_validation(clock_.steady() - began);
    if (!std::isfinite(validation.loss)) {
      return fail(ErrorCode::Internal, "the validation loss became {} at learning rate {}: lower schedule.peak",
                  validation.loss, rate_);
    }
    const bool best = validation.loss < progress_.best_loss;
    const double n = std::max(1.0, static_cast<double>(progress_.images));
    const EpochEvent event{.epoch = progress_.epoch + 1,
                           .loss = progress_.loss_sum / n,
                           .accuracy = static_cast<double>(progress_.correct) / n,
                           .val_loss = validation.loss,
                           .val_accuracy = validation.accuracy,
                           .learning_rate = rate_,
                           .elapsed = duration_cast<milliseconds>(elapsed()),
                           .best = best};
    if (best) {
      progress_.best_loss = validation.loss;
      progress_.best_epoch = event.epoch;
      if (settings_.restore_best) {
        TRY(const auto weights, learner_.weights());
        best_weights_ = model::encode_safetensors(weights);
      }
    }
    progress_.history.push_back(event);
    ++progress_.epoch;
    progress_.batch = progress_.images = progress_.correct = 0;
    progress_.loss_sum = 0.0;
    observer_.on_epoch(event);
    return {};
  }

  [[nodiscard]] bool lost_patience() const {
    const int patience = settings_.early_stopping_patience;
    return patience > 0 && progress_.epoch - progress_.best_epoch >= patience;
  }

  Result<TrainOutcome> finish(StopReason reason) {
    TrainOutcome done = outcome(reason);
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
    Checkpoint checkpoint{identify(data_, settings_), progress_, {}, best_weights_};
    checkpoint.progress.elapsed = duration_cast<milliseconds>(elapsed());
    TRY(checkpoint.learner, learner_.save_state());
    TRY_VOID(write_checkpoint(checkpoint_path_, checkpoint));
    saved_ = clock_.steady();
    return {};
  }

  [[nodiscard]] nanoseconds elapsed() const { return before_ + (clock_.steady() - started_); }

  nn::Learner& learner_;
  const TrainingData& data_;
  const TrainSettings& settings_;
  const fs::path checkpoint_path_;
  const std::atomic<bool>& stop_;
  Observer& observer_;
  const Clock& clock_;
  const std::int64_t batches_;  // an epoch
  const double batch_size_;     // smaller than the settings' when there are fewer images
  Pace pace_;
  const SteadyTime started_;
  SteadyTime saved_;       // when the last checkpoint was written
  nanoseconds before_{0};  // time spent before a resume
  Progress progress_;
  double rate_ = 0.0;
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
  TRY_VOID(make_directories(run_folder));
  Run run(learner, data, settings, run_folder, stop, observer, clock);
  if (resume) {
    TRY_VOID(run.resume());
  } else if (!settings.keep_weights) {
    TRY_VOID(run.begin());
  }
  return run.train();
}

}  // namespace imago::train
