// SPDX-License-Identifier: Apache-2.0
#include "train/run_identity.hpp"

#include "base/hash.hpp"
#include "json/json.hpp"
#include "train/recipe.hpp"

namespace imago::train {
namespace {

json::Value to_json(const ScheduleSettings& s) {
  return {to_string(s.kind), s.peak,        s.start_factor,     s.end_factor,       s.warmup_share,
          s.step_epochs,     s.step_factor, s.plateau_patience, s.plateau_threshold};
}

}  // namespace

std::string identify(const TrainingData& data, const TrainSettings& settings) {
  json::Value all{{"epochs", epochs_to_json(settings.epochs)},
                  {"batch_size", settings.batch_size},
                  {"seed", settings.seed},
                  {"max_time_ms", settings.max_time.count()},
                  {"patience", settings.early_stopping_patience},
                  {"restore_best", settings.restore_best},
                  {"whitening_bias_epochs", settings.whitening_bias_epochs},
                  {"lookahead", {settings.lookahead_steps, settings.lookahead_decay}},
                  {"unfreeze", {settings.unfreeze_epoch, settings.unfreeze_rate_factor}},
                  {"schedule", to_json(settings.schedule)},
                  {"augmentation", data::to_json(settings.augmentation)},
                  {"preprocess", image::to_json(data.preprocess)},
                  {"train", sha256(Bytes(std::as_bytes(data.train.labels())))},
                  {"validation", sha256(Bytes(std::as_bytes(data.validation.labels())))}};
  if (settings.whitening_bias_to_zero) all["whitening_bias_to_zero"] = true;  // checkpoints older than it stay good
  return sha256(json::dump(all));
}

}  // namespace imago::train
