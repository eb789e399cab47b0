// SPDX-License-Identifier: Apache-2.0
// What a queued job asks for, carried out.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "base/error.hpp"
#include "jobs/queue.hpp"
#include "json/json.hpp"
#include "pipeline/run_trainer.hpp"
#include "pipeline/workspace.hpp"

namespace imago::pipeline {

/// What only the program itself knows.
struct JobTools {
  std::function<Result<json::Value>(const std::string& name)> load_recipe;
  std::filesystem::path trainer;
  std::string code_version;
};

/// Does a "train" or "retrain" job; one that was begun before goes on with its run. The payloads:
///
///   train    {"dataset", "recipe", "model", "epochs"?, "max_minutes"?, "seed"?}
///   retrain  {"model", "files": [upload ids], "epochs"?, "replay"?, "margin"?, "rate"?, "seed"?}
///
/// The result is {"run", "model", "version", "verdict", "champion", "test_accuracy", "previous_accuracy"?}. Cancelled
/// when it was stopped: a checkpoint is there. Unavailable when trying again may help.
Result<json::Value> do_job(Workspace& workspace, const jobs::Job& job, const JobTools& tools, const OnEvent& on_event,
                           const ShouldStop& should_stop);

}  // namespace imago::pipeline
