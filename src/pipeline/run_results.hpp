// SPDX-License-Identifier: Apache-2.0
// What a finished run leaves for a tracking server: test metrics, model files, plots.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>

#include "base/error.hpp"
#include "pipeline/workspace.hpp"
#include "tracking/mlflow.hpp"

namespace imago::pipeline {

/// @param package the sealed package of the version that the run made.
Result<tracking::RunResults> results_of(Workspace& workspace, const registry::ModelVersion& version,
                                        const std::filesystem::path& package);

using Deadline = std::optional<std::chrono::steady_clock::time_point>;

/// Sends a run of the past, or what is missing of it, to an MLflow server. The page where it is seen. NotFound for an
/// unknown run; errors of MlflowClient.
Result<std::string> export_to_mlflow(Workspace& workspace, const std::string& run, tracking::MlflowServer server,
                                     Deadline deadline = {});

}  // namespace imago::pipeline
