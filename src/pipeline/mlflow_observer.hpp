// SPDX-License-Identifier: Apache-2.0
// Runs shown live by an MLflow server. docs/mlflow.md
#pragma once

#include <memory>
#include <optional>

#include "pipeline/run_observer.hpp"
#include "pipeline/workspace.hpp"
#include "tracking/mlflow.hpp"

namespace imago::pipeline {

/// Follows the runs of this process where MLFLOW_TRACKING_URI says, if it does. A server that is dead, slow or goes
/// away costs a run nothing but `patience` at its end; what could not be sent is said in one line of the log.
class MlflowObserver final : public RunObserver {
 public:
  /// `workspace` must outlive this.
  explicit MlflowObserver(Workspace& workspace, std::chrono::milliseconds patience = std::chrono::minutes(2))
      : workspace_(workspace), patience_(patience) {}

  void on_start(const tracking::Run& run, bool resumed) override;
  void on_metrics(const tracking::Run& run, std::int64_t epoch, const std::map<std::string, double>& values) override;
  void on_registered(const tracking::Run& run, const registry::ModelVersion& version,
                     const std::filesystem::path& package) override;
  void on_end(const tracking::Run& run) override;

 private:
  Workspace& workspace_;
  std::chrono::milliseconds patience_;
  std::string uri_;
  std::unique_ptr<tracking::LiveMlflow> live_;
  tracking::RunResults results_;
  std::optional<Error> lost_;
};

}  // namespace imago::pipeline
