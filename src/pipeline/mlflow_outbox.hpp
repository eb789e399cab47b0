// SPDX-License-Identifier: Apache-2.0
// Runs that an MLflow server should have and may not have in full: a note in the run's folder, from the run's start
// until the server has all of it. The run itself is in the record; the note survives a kill and a server that is away.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "pipeline/workspace.hpp"
#include "tracking/mlflow.hpp"

namespace imago::pipeline {

struct UnsentRun {
  std::string run;
  std::string uri;
};

/// Passwords are not written.
Result<void> note_unsent(const Workspace& workspace, const std::string& run, const tracking::MlflowServer& server);
void forget_unsent(const Workspace& workspace, const std::string& run);

/// Oldest first. Runs that go on right now are not among them: their own process sends them.
std::vector<UnsentRun> unsent_runs(Workspace& workspace);

/// Sends what this server should have, oldest first, until `patience` is over or it fails. How many it has now.
int send_unsent(Workspace& workspace, const tracking::MlflowServer& server, std::chrono::milliseconds patience);

}  // namespace imago::pipeline
