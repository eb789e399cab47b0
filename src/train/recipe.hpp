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
#include "model/views.hpp"
#include "nn/learner.hpp"
#include "train/class_weights.hpp"
#include "train/trainer.hpp"

namespace imago::train {

/// {"name": "quick", "description": "...",
///  "architecture": {"name": "airbench94", ...its own settings},
///  "preprocess": {...}, "augmentation": {...},
///  "optimizer": {"kind": "sgd" | "adam" | "adamw" | "muon", "momentum", "nesterov", "beta1", "beta2", "eps",
///  "weight_decay",
///                "decay_bias_and_norm", "norm_bias_lr_factor", "whitening_bias_lr_factor", "muon_momentum",
///                "muon_sgd_lr_factor"},
///  "loss": {"label_smoothing", "class_weights": "none" | "balanced" | {label: weight}},
///  "schedule": {"kind", "peak", "start_factor", "end_factor", "warmup_share", "step_epochs", "step_factor",
///               "plateau_patience", "plateau_threshold"},
///  "epochs", "batch_size", "max_minutes", "early_stopping_patience", "restore_best", "whitening_bias_epochs",
///  "whitening_bias_to_zero",
///  "lookahead_steps", "lookahead_decay", "unfreeze_epoch", "unfreeze_rate_factor",
///  "precision": "float32" | "bfloat16" | "auto", "data_on": "auto" | "device" | "host", "gradient_clip_norm",
///  "ema_decay", "checkpoint_seconds", "freeze": "none" | "backbone", "pretrained", "views": "none" | "flip" | "multi",
///  "evaluation_views"}
///
/// Only name and architecture.name are required; the rest has the defaults of the structs below.
struct Recipe {
  std::string name;
  std::string description;
  std::string architecture;                                   ///< for model::build_graph
  json::Value architecture_settings = json::Value::object();  ///< likewise
  image::Preprocess preprocess;
  /// A .safetensors or .pth file with the weights training starts from when the job names none; a bare name is looked
  /// for where data sets are. Empty: none.
  std::string pretrained;
  ClassWeighting class_weighting;
  model::Views views = model::Views::None;             ///< for the package's spec
  model::Views evaluation_views = model::Views::None;  ///< likewise
  nn::LearnerSettings learner;  ///< seed and threads are the job's, class weights the data's, not the recipe's
  TrainSettings training;       ///< likewise seed

  /// The network this recipe trains on images of `classes` classes.
  [[nodiscard]] Result<model::Graph> graph(int classes) const;
};

/// InvalidArgument for a key it does not know (naming it and those it knows), a value of the wrong type or out of
/// range.
Result<Recipe> recipe_from_json(const json::Value& value);

/// Complete: every setting with its effective value.
json::Value to_json(const Recipe& recipe);

/// 9.9, but 10 rather than 10.0.
json::Value epochs_to_json(double epochs);

}  // namespace imago::train
