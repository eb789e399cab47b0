// SPDX-License-Identifier: Apache-2.0
// Runs shown live by an MLflow server. docs/mlflow.md
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "pipeline/run_observer.hpp"
#include "pipeline/workspace.hpp"
#include "tracking/mlflow.hpp"

namespace imago::pipeline {

/// Follows the runs of this process where MLFLOW_TRACKING_URI says, if it does. A server that is dead, slow or goes
/// away costs a run nothing but `patience` at its end; what could not be sent is said in one line of the log, and goes
/// with the next run that gets through (mlflow_outbox.hpp).
class MlflowObserver final : public RunObserver {
 public:
  using OnSent = std::function<void(const std::string& line)>;

  /// `workspace` must outlive this. `on_sent` gets "MLflow: run ... is at ..." when all went well.
  MlflowObserver(Workspace& workspace, OnSent on_sent, std::chrono::milliseconds patience = std::chrono::minutes(2))
      : workspace_(workspace), on_sent_(std::move(on_sent)), patience_(patience) {}

  void on_start(const tracking::Run& run, bool resumed) override;
  void on_metrics(const tracking::Run& run, std::int64_t epoch, const std::map<std::string, double>& values) override;
  void on_registered(const tracking::Run& run, const registry::ModelVersion& version,
                     const std::filesystem::path& package) override;
  void on_end(const tracking::Run& run) override;

 private:
  Workspace& workspace_;
  OnSent on_sent_;
  std::chrono::milliseconds patience_;
  tracking::MlflowServer server_;
  std::unique_ptr<tracking::LiveMlflow> live_;
  tracking::RunResults results_;
  std::optional<Error> lost_;
};

}  // namespace imago::pipeline
