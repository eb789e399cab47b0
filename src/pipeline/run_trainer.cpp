// SPDX-License-Identifier: Apache-2.0
#include "pipeline/run_trainer.hpp"

#include <optional>

#include "base/clock.hpp"
#include "base/files.hpp"
#include "jobs/child_process.hpp"
#include "jobs/task.hpp"
#include "pipeline/step_metrics.hpp"
#include "pipeline/workers.hpp"

namespace imago::pipeline {
namespace {

std::string last_line(std::string text) {
  text.erase(text.find_last_not_of(" \r\n") + 1);
  const auto start = text.rfind('\n');
  return start == std::string::npos ? text : text.substr(start + 1);
}

json::Value trainer_job(const Workspace& workspace, const tracking::Run& run, bool resume) {
  const fs::path folder = workspace.run_folder(run.id);
  json::Value job = run.params;
  job["datasets"] = (workspace.folder() / "datasets").string();
  job["run_folder"] = folder.string();
  job["package_folder"] = (folder / "package").string();
  job["model_name"] = run.params["model"];
  job["resume"] = resume;
  return job;
}

/// All places but the first.
std::vector<WorkerRequest> other_workers(const Workspace& workspace, const tracking::Run& run, const fs::path& trainer,
                                         const std::vector<json::Value>& team) {
  std::vector<WorkerRequest> others;
  for (std::size_t i = 1; i < team.size(); ++i)
    others.push_back({workspace.folder(), trainer, team[i], run.params.value("threads", 0)});
  return others;
}

/// @param said by the worker that holds the run. @param lost by another one here, which may be what `said` is about.
tl::unexpected<Error> lost_team(const Error& said, const std::optional<Error>& lost, const tracking::Run& run) {
  const bool is_cause = lost && lost->code == ErrorCode::Unavailable && said.code != ErrorCode::InvalidArgument;
  const Error& cause = is_cause ? *lost : said;
  if (cause.code != ErrorCode::Unavailable) return tl::unexpected<Error>(cause);
  return fail(cause.code, "{}; go on with `imago train --resume {}`", cause.message, run.id);
}

/// Keeps what the run record and the report need of the events.
class Notes {
 public:
  Notes(Workspace& workspace, const tracking::Run& run) : workspace_(workspace), run_(run) {}

  void take(const json::Value& event) {
    const std::string kind = event.value("event", "");
    if (kind == "step") keep_step(event);
    if (kind == "epoch") keep_metrics(event);
    if (kind == "done") {
      training.done = event;
      training.history = event.value("history", json::Value::array());
      training.done.erase("history");
    }
    if (kind == "error") error = jobs::error_of(event);
  }

  Training training;
  std::optional<Error> error;

 private:
  void keep_metrics(const json::Value& event) {
    std::map<std::string, double> values;
    for (const char* key : {"loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"}) {
      if (event.contains(key) && event[key].is_number()) values[key] = event[key].get<double>();
    }
    log(event.value("epoch", std::int64_t{0}), values);
  }

  void keep_step(const json::Value& event) {
    if (const auto sample = steps_.take(event, system_clock().steady())) log(sample->step, sample->values);
  }

  void log(std::int64_t step, const std::map<std::string, double>& values) {
    if (auto kept = workspace_.runs().log_metrics(run_.id, step, values); !kept && !error) error = kept.error();
    workspace_.observers().on_metrics(run_, step, values);
  }

  Workspace& workspace_;
  const tracking::Run& run_;
  StepSampler steps_;
};

}  // namespace

Result<Training> run_trainer(Workspace& workspace, const tracking::Run& run, const fs::path& trainer, bool resume,
                             const OnEvent& on_event, const ShouldStop& should_stop,
                             const std::vector<json::Value>& team) {
  Notes notes(workspace, run);
  json::Value job = trainer_job(workspace, run, resume);
  if (!team.empty()) job["team"] = team.front();
  const jobs::ChildOptions child{.command = {trainer.string()}, .input = json::dump(job), .niceness = 0};
  LocalWorkers others(other_workers(workspace, run, trainer, team));
  const auto on_line = [&](const json::Value& event) {
    notes.take(event);
    on_event(event);
  };
  const auto stop_all = [&] {
    if (!should_stop()) return others.lost();
    others.stop();
    return true;
  };
  TRY(const auto ended, jobs::run_child(child, on_line, stop_all, false));
  if (const auto lost = others.end(); notes.error && !team.empty()) return lost_team(*notes.error, lost, run);
  if (notes.error) return tl::unexpected<Error>(*notes.error);
  const bool killed = ended.end == jobs::ChildEnd::Signaled;
  if (killed || ended.code != 0 || notes.training.done.is_null()) {
    return fail(killed ? ErrorCode::Unavailable : ErrorCode::Internal,
                "the training process ended with {} {}; resume with `imago train --resume {}`{}{}",
                killed ? "signal" : "status", ended.code, run.id,
                ended.last_stderr.empty() ? "" : "; it said: ", last_line(ended.last_stderr));
  }
  return std::move(notes.training);
}

}  // namespace imago::pipeline
