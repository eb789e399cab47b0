// SPDX-License-Identifier: Apache-2.0
#include "pipeline/run_trainer.hpp"

#include <optional>

#include "base/files.hpp"
#include "jobs/child_process.hpp"

namespace imago::pipeline {
namespace {

std::string last_line(std::string text) {
  text.erase(text.find_last_not_of(" \r\n") + 1);
  const auto start = text.rfind('\n');
  return start == std::string::npos ? text : text.substr(start + 1);
}

ErrorCode code_from(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(ErrorCode::Internal); ++i) {
    if (to_string(static_cast<ErrorCode>(i)) == name) return static_cast<ErrorCode>(i);
  }
  return ErrorCode::Internal;
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

/// Keeps what the run record and the report need of the events.
class Notes {
 public:
  Notes(Workspace& workspace, const tracking::Run& run) : workspace_(workspace), run_(run) {}

  void take(const json::Value& event) {
    const std::string kind = event.value("event", "");
    if (kind == "epoch") keep_metrics(event);
    if (kind == "done") {
      training.done = event;
      training.history = event.value("history", json::Value::array());
      training.done.erase("history");
    }
    if (kind == "error") error = Error{code_from(event.value("code", "")), event.value("message", "training failed")};
  }

  Training training;
  std::optional<Error> error;

 private:
  void keep_metrics(const json::Value& event) {
    std::map<std::string, double> values;
    for (const char* key : {"loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"}) {
      if (event.contains(key) && event[key].is_number()) values[key] = event[key].get<double>();
    }
    const auto epoch = event.value("epoch", std::int64_t{0});
    if (auto kept = workspace_.runs().log_metrics(run_.id, epoch, values); !kept && !error) error = kept.error();
    workspace_.observers().on_metrics(run_, epoch, values);
  }

  Workspace& workspace_;
  const tracking::Run& run_;
};

}  // namespace

Result<Training> run_trainer(Workspace& workspace, const tracking::Run& run, const fs::path& trainer, bool resume,
                             const OnEvent& on_event, const ShouldStop& should_stop) {
  Notes notes(workspace, run);
  const jobs::ChildOptions child{
      .command = {trainer.string()}, .input = json::dump(trainer_job(workspace, run, resume)), .niceness = 0};
  const auto on_line = [&](const json::Value& event) {
    notes.take(event);
    on_event(event);
  };
  TRY(const auto ended, jobs::run_child(child, on_line, should_stop, false));
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
