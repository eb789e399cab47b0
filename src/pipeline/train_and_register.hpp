// SPDX-License-Identifier: Apache-2.0
// The main use case: a data set and a recipe in, a measured and registered model version out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "evaluate/metrics.hpp"
#include "json/json.hpp"
#include "pipeline/run_trainer.hpp"
#include "pipeline/workspace.hpp"

namespace imago::pipeline {

struct TrainRequest {
  std::string dataset;  ///< NAME or NAME@VERSION
  std::string model;    ///< name in the registry
  json::Value recipe;   ///< complete, overrides applied
  std::uint64_t seed = 1;
  int threads = 0;  ///< 0: all
  std::string code_version;
  std::filesystem::path trainer;          ///< the imago-trainer program
  std::vector<json::Value> team{};        ///< as run_trainer's
  std::filesystem::path initial_weights;  ///< .safetensors or .pth to start from, by name; empty: as the recipe says
  std::string kind = "train";             ///< of the run: "retrain" for one that goes on from an earlier version
  double margin = 0.0;                    ///< how much worse than the champion on the test images a new champion may be
  /// More for the trainer (docs/formats/trainer.md) and the lineage; kept with the run: "job", "parent", "replay",
  /// "uploads", "strict".
  json::Value extra = json::Value::object();
};

struct TrainResult {
  tracking::Run run;
  bool interrupted = false;  ///< stopped on request: a checkpoint is there, no version was made
  std::optional<registry::ModelVersion> version;
  std::optional<evaluate::Metrics> test;
  std::string verdict;  ///< why the version is champion, or is not
};

/// Trains in a child process, measures the written package through the serving engine on the test split, replays its
/// golden set, and registers it as "latest", and as "base" when it is the model's first version. It becomes champion
/// when there is none or it is not worse on the same test images, else "challenger". The curves go to
/// logs/training_logs.json too. A failure marks the run failed and leaves no version; Unavailable when resume_training
/// may help.
Result<TrainResult> train_and_register(Workspace& workspace, const TrainRequest& request, const OnEvent& on_event,
                                       const ShouldStop& should_stop);

/// Goes on with an interrupted or crashed run, with its own settings. One that had registered its version already is
/// only finished.
Result<TrainResult> resume_training(Workspace& workspace, const std::string& run, const std::filesystem::path& trainer,
                                    const OnEvent& on_event, const ShouldStop& should_stop,
                                    const std::vector<json::Value>& team = {});

}  // namespace imago::pipeline
