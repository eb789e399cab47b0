// SPDX-License-Identifier: Apache-2.0
// How a model is made: network, preprocessing, augmentation, optimiser, schedule. recipes/*.yaml hold the ones we ship;
// the command line turns them into JSON and lays `--set key=value` over them.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.hpp"
#include "image/preprocess.hpp"
#include "json/json.hpp"
#include "model/architectures.hpp"
#include "nn/learner.hpp"
#include "train/trainer.hpp"

namespace imago::train {

/// {"name": "quick", "description": "...",
///  "architecture": {"name": "airbench94", ...its own settings},
///  "preprocess": {...}, "augmentation": {...},
///  "optimizer": {"kind": "sgd" | "adam" | "adamw", "momentum", "nesterov", "beta1", "beta2", "eps", "weight_decay",
///                "decay_bias_and_norm", "norm_bias_lr_factor"},
///  "loss": {"label_smoothing"},
///  "schedule": {"kind", "peak", "start_factor", "end_factor", "warmup_share", "step_epochs", "step_factor"},
///  "epochs", "batch_size", "max_minutes", "early_stopping_patience", "restore_best", "whitening_bias_epochs",
///  "gradient_clip_norm", "ema_decay", "checkpoint_seconds", "freeze": "none" | "backbone", "pretrained"}
///
/// Only name and architecture.name are required; the rest has the defaults of the structs below.
struct Recipe {
  std::string name;
  std::string description;
  std::string architecture;                                   ///< for model::build_graph
  json::Value architecture_settings = json::Value::object();  ///< likewise
  image::Preprocess preprocess;
  /// A .safetensors file with the weights training starts from when the job names none; a bare name is looked for where
  /// data sets are. Empty: none.
  std::string pretrained;
  nn::LearnerSettings learner;  ///< seed and threads are the job's, not the recipe's
  TrainSettings training;       ///< likewise seed

  /// The network this recipe trains on images of `classes` classes.
  [[nodiscard]] Result<model::Graph> graph(int classes) const;
};

/// InvalidArgument for a key it does not know (naming it and those it knows), a value of the wrong type or out of
/// range.
Result<Recipe> recipe_from_json(const json::Value& value);

/// Complete: every setting with its effective value.
json::Value to_json(const Recipe& recipe);

}  // namespace imago::train
