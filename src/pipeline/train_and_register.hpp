// SPDX-License-Identifier: Apache-2.0
// The main use case: a data set and a recipe in, a measured and registered model version out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "evaluate/metrics.hpp"
#include "json/json.hpp"
#include "pipeline/workspace.hpp"

namespace imago::pipeline {

struct TrainRequest {
  std::string dataset;  ///< NAME or NAME@VERSION
  std::string model;    ///< name in the registry
  json::Value recipe;   ///< complete, overrides applied
  std::uint64_t seed = 1;
  int threads = 0;  ///< 0: all
  std::string code_version;
  std::filesystem::path trainer;  ///< the imago-trainer program
};

struct TrainResult {
  tracking::Run run;
  bool interrupted = false;  ///< stopped on request: a checkpoint is there, no version was made
  std::optional<registry::ModelVersion> version;
  std::optional<evaluate::Metrics> test;
  std::string verdict;  ///< why the version is champion, or is not
};

/// Everything the trainer reports (docs/formats/trainer.md), and "evaluate" events of the same form from here.
using OnEvent = std::function<void(const json::Value& event)>;
using ShouldStop = std::function<bool()>;

/// Trains in a child process, measures the written package through the serving engine on the test split, replays its
/// golden set, and registers it. It becomes champion when there is none or it is not worse on the same test images. A
/// failure marks the run failed and leaves no version.
Result<TrainResult> train_and_register(Workspace& workspace, const TrainRequest& request, const OnEvent& on_event,
                                       const ShouldStop& should_stop);

/// Goes on with an interrupted or crashed run, with its own settings.
Result<TrainResult> resume_training(Workspace& workspace, const std::string& run, const std::filesystem::path& trainer,
                                    const OnEvent& on_event, const ShouldStop& should_stop);

}  // namespace imago::pipeline
