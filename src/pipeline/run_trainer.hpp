// SPDX-License-Identifier: Apache-2.0
// One run's training in a child process, its events kept in the run record.
#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include "base/error.hpp"
#include "json/json.hpp"
#include "pipeline/workspace.hpp"

namespace imago::pipeline {

/// Everything the trainer reports (docs/formats/trainer.md), and "evaluate" events of the same form from here.
using OnEvent = std::function<void(const json::Value& event)>;
using ShouldStop = std::function<bool()>;

struct Training {
  json::Value history = json::Value::array();  ///< one object an epoch, those before a resume too
  json::Value done;                            ///< the trainer's last word

  [[nodiscard]] bool interrupted() const { return done.value("reason", "") == "interrupted"; }
};

/// The job on the trainer's standard input is `run.params` and where things are. Unavailable when the trainer died of a
/// signal: the run can go on from its checkpoint; else the trainer's own error.
/// @param team Places of those who train together and are started here, the first holding the run; empty: it is alone.
Result<Training> run_trainer(Workspace& workspace, const tracking::Run& run, const std::filesystem::path& trainer,
                             bool resume, const OnEvent& on_event, const ShouldStop& should_stop,
                             const std::vector<json::Value>& team = {});

}  // namespace imago::pipeline
