// SPDX-License-Identifier: Apache-2.0
#include "pipeline/train_and_register.hpp"

#include "base/clock.hpp"
#include "base/files.hpp"
#include "infer/engine.hpp"
#include "jobs/child_process.hpp"
#include "package/package.hpp"
#include "pipeline/evaluate_model.hpp"

namespace imago::pipeline {
namespace {

struct Training {
  json::Value history = json::Value::array();  // one object an epoch, those before a resume too
  json::Value done;                            // the trainer's last word; null when it never came
  std::optional<Error> error;
};

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

/// Keeps what the run record and the report need of an event.
Result<void> note(Workspace& workspace, const std::string& run, const json::Value& event, Training& training) {
  const std::string kind = event.value("event", "");
  if (kind == "epoch") {
    std::map<std::string, double> values;
    for (const char* key : {"loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"}) {
      if (event.contains(key) && event[key].is_number()) values[key] = event[key].get<double>();
    }
    return workspace.runs().log_metrics(run, event.value("epoch", std::int64_t{0}), values);
  }
  if (kind == "done") {
    training.done = event;
    training.history = event.value("history", json::Value::array());
    training.done.erase("history");
  }
  if (kind == "error")
    training.error = Error{code_from(event.value("code", "")), event.value("message", "training failed")};
  return {};
}

Result<Training> run_trainer(Workspace& workspace, const tracking::Run& run, const fs::path& trainer, bool resume,
                             const OnEvent& on_event, const ShouldStop& should_stop) {
  const fs::path folder = workspace.run_folder(run.id);
  TRY_VOID(make_directories(folder));
  Training training;
  std::optional<Error> lost;
  const jobs::ChildOptions child{
      .command = {trainer.string()}, .input = json::dump(trainer_job(workspace, run, resume)), .niceness = 0};
  const auto on_line = [&](const json::Value& event) {
    if (auto kept = note(workspace, run.id, event, training); !kept && !lost) lost = kept.error();
    on_event(event);
  };
  TRY(const auto ended, jobs::run_child(child, on_line, should_stop, false));
  if (training.error) return tl::unexpected<Error>(*training.error);
  if (lost) return tl::unexpected<Error>(*lost);
  if (ended.end == jobs::ChildEnd::Signaled || ended.code != 0 || training.done.is_null()) {
    return fail(ErrorCode::Internal, "the training process ended with {} {}; resume with `imago train --resume {}`{}{}",
                ended.end == jobs::ChildEnd::Signaled ? "signal" : "status", ended.code, run.id,
                ended.last_stderr.empty() ? "" : "; it said: ", last_line(ended.last_stderr));
  }
  return training;
}

/// The test split, or validation where a data set has none; the report says which.
data::Split frozen_split(const data::Manifest& manifest) {
  return manifest.indices(data::Split::Test).empty() ? data::Split::Validation : data::Split::Test;
}

struct Verdict {
  bool champion = false;
  std::string reason;
};

Result<Verdict> judge(Workspace& workspace, const std::string& model, const json::Value& lineage, double accuracy) {
  auto champion = workspace.models().resolve(model + ":champion");
  if (!champion) {
    if (champion.error().code != ErrorCode::NotFound) return pass(champion);
    return Verdict{true, "champion: the first version of this model"};
  }
  TRY(const auto current, workspace.models().open(*champion));
  if (current.lineage.value("dataset", "") != lineage["dataset"].get<std::string>()) {
    return Verdict{
        false,
        fmt::format("challenger: version {} was measured on {}, this one on {}; compare them, then promote",
                    champion->version, current.lineage.value("dataset", "?"), lineage["dataset"].get<std::string>())};
  }
  const bool not_worse = accuracy >= champion->test_accuracy;
  return Verdict{not_worse,
                 fmt::format("{}: test accuracy {:.4f}, version {} has {:.4f}", not_worse ? "champion" : "challenger",
                             accuracy, champion->version, champion->test_accuracy)};
}

Result<TrainResult> finish(Workspace& workspace, tracking::Run run, const Training& training, const OnEvent& on_event) {
  const fs::path staged = workspace.run_folder(run.id) / "package";
  TRY(const auto spec_json, json::read(staged / "spec.json"));
  package::ModelPackage made;
  made.folder = staged;
  TRY(made.spec, model::spec_from_json(spec_json));
  TRY(const auto engine, infer::Engine::load(made));
  TRY(const auto manifest, workspace.datasets().load(run.params["dataset"].get<std::string>()));
  const data::Split split = frozen_split(manifest);
  TRY(auto metrics,
      evaluate_split(workspace, *engine, made.spec, manifest, split, [&](std::size_t done, std::size_t total) {
        on_event({{"event", "evaluate"}, {"done", done}, {"total", total}});
      }));

  json::Value report{{"test", evaluate::to_json(metrics)},
                     {"test_split", data::to_string(split)},
                     {"engine", infer::backend_description()},
                     {"training", {{"history", training.history}, {"outcome", training.done}}}};
  json::Value lineage{{"run", run.id},
                      {"created", format_utc(system_clock().wall())},
                      {"dataset", run.params["dataset"]},
                      {"recipe", run.params["recipe"]},
                      {"seed", run.params["seed"]},
                      {"code_version", run.params["code_version"]},
                      {"parent", nullptr}};
  TRY_VOID(package::seal_package(staged, report, lineage));
  TRY(const auto sealed, package::open_package(staged));
  TRY_VOID(package::verify_golden(sealed, *engine));

  const std::string model = run.params["model"];
  TRY(const auto verdict, judge(workspace, model, lineage, metrics.accuracy));
  TRY(auto version,
      workspace.models().register_package(model, staged, run.id, {verdict.champion ? "champion" : "challenger"}));
  run.summary = {{"model", model},
                 {"version", version.version},
                 {"verdict", verdict.reason},
                 {"test_accuracy", metrics.accuracy},
                 {"outcome", training.done}};
  TRY_VOID(workspace.runs().finish(run.id, tracking::RunStatus::Finished, run.summary));
  run.status = tracking::RunStatus::Finished;
  return TrainResult{.run = std::move(run),
                     .interrupted = false,
                     .version = std::move(version),
                     .test = std::move(metrics),
                     .verdict = verdict.reason};
}

Result<TrainResult> carry_out(Workspace& workspace, tracking::Run run, const fs::path& trainer, bool resume,
                              const OnEvent& on_event, const ShouldStop& should_stop) {
  auto training = run_trainer(workspace, run, trainer, resume, on_event, should_stop);
  if (training && training->done.value("reason", "") == "interrupted") {
    TRY_VOID(workspace.runs().finish(run.id, tracking::RunStatus::Interrupted, training->done));
    run.status = tracking::RunStatus::Interrupted;
    return TrainResult{.run = std::move(run), .interrupted = true};
  }
  auto result = training ? finish(workspace, run, *training, on_event) : Result<TrainResult>(pass(training));
  if (!result)
    TRY_VOID(
        workspace.runs().finish(run.id, tracking::RunStatus::Failed, json::Value::object(), result.error().message));
  return result;
}

}  // namespace

Result<TrainResult> train_and_register(Workspace& workspace, const TrainRequest& request, const OnEvent& on_event,
                                       const ShouldStop& should_stop) {
  TRY(const auto manifest, workspace.datasets().load(request.dataset));
  const json::Value params{{"dataset", manifest.name + "@" + data::version_of(manifest)},
                           {"model", request.model},
                           {"recipe", request.recipe},
                           {"seed", request.seed},
                           {"threads", request.threads},
                           {"code_version", request.code_version}};
  TRY(auto run, workspace.runs().create("train", params));
  on_event({{"event", "run"}, {"run", run.id}});
  return carry_out(workspace, std::move(run), request.trainer, false, on_event, should_stop);
}

Result<TrainResult> resume_training(Workspace& workspace, const std::string& run, const fs::path& trainer,
                                    const OnEvent& on_event, const ShouldStop& should_stop) {
  TRY(auto found, workspace.runs().find(run));
  if (found.status == tracking::RunStatus::Finished)
    return fail(ErrorCode::InvalidArgument, "run {} is finished: there is nothing to resume", found.id);
  // A run that died before its first checkpoint starts again from its seed: the same run, later.
  const bool has_checkpoint = fs::exists(workspace.run_folder(found.id) / "checkpoint.bin");
  TRY_VOID(workspace.runs().reopen(found.id));
  on_event({{"event", "run"}, {"run", found.id}});
  return carry_out(workspace, std::move(found), trainer, has_checkpoint, on_event, should_stop);
}

}  // namespace imago::pipeline
