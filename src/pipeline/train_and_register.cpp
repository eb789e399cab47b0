// SPDX-License-Identifier: Apache-2.0
#include "pipeline/train_and_register.hpp"

#include "base/clock.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "infer/engine.hpp"
#include "package/package.hpp"
#include "pipeline/evaluate_model.hpp"
#include "pipeline/fit_abstention.hpp"
#include "pipeline/machine.hpp"
#include "pipeline/run_owner.hpp"
#include "pipeline/verdict.hpp"

namespace imago::pipeline {
namespace {

/// A package as the trainer left it, and what it is worth.
struct Measured {
  package::ModelPackage package;
  evaluate::Metrics metrics;
  data::Manifest manifest;
  data::Split split = data::Split::Test;
};

OnProgress evaluate_events(const OnEvent& on_event) {
  return [&on_event](std::size_t done, std::size_t total) {
    on_event({{"event", "evaluate"}, {"done", done}, {"total", total}});
  };
}

json::Value lineage_of(const tracking::Run& run, const Measured& measured) {
  const json::Value& params = run.params;
  json::Value lineage{{"run", run.id},
                      {"kind", run.kind},
                      {"created", format_utc(system_clock().wall())},
                      {"dataset", params["dataset"]},
                      {"test_digest", digest_of(measured.manifest, measured.split)},
                      {"recipe", params["recipe"]},
                      {"seed", params["seed"]},
                      {"code_version", params["code_version"]},
                      {"parent", params.value("parent", json::Value())}};
  for (const char* key : {"threads", "machine", "initial_weights_sha256", "uploads", "replay"}) {
    if (params.contains(key)) lineage[key] = params[key];
  }
  return lineage;
}

/// Measures the staged package through the engine that will serve it, seals it, and replays its golden set.
Result<Measured> measure_and_seal(Workspace& workspace, const tracking::Run& run, const Training& training,
                                  const OnEvent& on_event) {
  const fs::path staged = workspace.run_folder(run.id) / "package";
  TRY(const auto spec_json, json::read(staged / "spec.json"));
  Measured measured;
  measured.package.folder = staged;
  TRY(measured.package.spec, model::spec_from_json(spec_json));
  TRY(const auto engine, infer::Engine::load(measured.package));
  TRY(measured.manifest, workspace.datasets().load(run.params["dataset"].get<std::string>()));
  measured.split = frozen_split(measured.manifest);
  TRY(measured.metrics, evaluate_split(workspace, *engine, measured.package.spec, measured.manifest, measured.split,
                                       evaluate_events(on_event)));
  TRY(auto views, accuracy_by_views(workspace, measured.package, measured.manifest, measured.split, measured.metrics,
                                    evaluate_events(on_event)));
  const json::Value report{{"test", evaluate::to_json(measured.metrics)},
                           {"test_split", data::to_string(measured.split)},
                           {"accuracy_by_views", std::move(views)},
                           {"engine", infer::backend_description()},
                           {"training", {{"history", training.history}, {"outcome", training.done}}}};
  TRY_VOID(package::seal_package(staged, report, lineage_of(run, measured)));
  TRY(measured.package, package::open_package(staged));
  TRY_VOID(package::verify_golden(measured.package, *engine));
  return measured;
}

Result<registry::ModelVersion> register_version(Workspace& workspace, const tracking::Run& run,
                                                const Measured& measured, const Verdict& verdict) {
  const std::string model = run.params["model"];
  std::vector<std::string> aliases{verdict.champion ? "champion" : "challenger"};
  TRY(const auto before, workspace.models().list(model));
  if (before.empty()) aliases.emplace_back("base");
  if (run.kind == "retrain") aliases.emplace_back("retrained");
  return workspace.models().register_package(model, measured.package.folder, run.id, aliases, verdict.reason);
}

/// logs/training_logs.json: the curves of the newest training, under the names Keras's History has them.
void write_training_logs(const Workspace& workspace, const registry::ModelVersion& version,
                         const json::Value& history) {
  json::Value logs = json::Value::object();
  for (const char* key : {"loss", "accuracy", "val_loss", "val_accuracy"}) {
    logs[key] = json::Value::array();
    for (const auto& epoch : history) logs[key].push_back(epoch.value(key, json::Value()));
  }
  logs["run"] = version.run;
  logs["model"] = version.model;
  logs["version"] = version.version;
  const fs::path folder = workspace.folder() / "logs";
  const auto written = make_directories(folder).and_then(
      [&] { return write_file_atomic(folder / "training_logs.json", json::dump_pretty(logs)); });
  if (!written) log::warning("{}", written.error().message);
}

Result<void> close_run(Workspace& workspace, tracking::Run& run, tracking::RunStatus status, json::Value summary,
                       const std::string& error = "") {
  TRY_VOID(workspace.runs().finish(run.id, status, summary, error));
  run.status = status;
  run.summary = std::move(summary);
  run.error = error;
  workspace.observers().on_end(run);
  return {};
}

Result<TrainResult> finish(Workspace& workspace, tracking::Run& run, const Training& training,
                           const OnEvent& on_event) {
  TRY(auto measured, measure_and_seal(workspace, run, training, on_event));
  TRY(const auto weights, sha256_file(measured.package.weights_path()));
  const Candidate candidate{.model = run.params["model"],
                            .accuracy = measured.metrics.accuracy,
                            .split = measured.split,
                            .margin = run.params.value("margin", 0.0)};
  TRY(const auto verdict, judge(workspace, candidate, measured.manifest, evaluate_events(on_event)));
  const auto before = workspace.models().resolve(candidate.model);
  TRY(auto version, register_version(workspace, run, measured, verdict));
  if (before) carry_abstention(workspace, *before, version, evaluate_events(on_event));
  write_training_logs(workspace, version, training.history);
  workspace.observers().on_registered(
      run, version, workspace.folder() / "models" / version.model / fmt::format("{}", version.version));
  json::Value summary{{"model", version.model},
                      {"version", version.version},
                      {"verdict", verdict.reason},
                      {"champion", verdict.champion},
                      {"test_accuracy", measured.metrics.accuracy},
                      {"weights_sha256", weights},
                      {"outcome", training.done}};
  if (verdict.previous_accuracy) summary["previous_accuracy"] = *verdict.previous_accuracy;
  TRY_VOID(close_run(workspace, run, tracking::RunStatus::Finished, std::move(summary)));
  return TrainResult{.run = run,
                     .interrupted = false,
                     .version = std::move(version),
                     .test = std::move(measured.metrics),
                     .verdict = verdict.reason};
}

/// @param resume from the checkpoint; the caller holds the run's lock.
Result<TrainResult> carry_out(Workspace& workspace, tracking::Run run, const fs::path& trainer, bool resume,
                              const std::vector<json::Value>& team, const OnEvent& on_event,
                              const ShouldStop& should_stop) {
  const auto training = run_trainer(workspace, run, trainer, resume, on_event, should_stop, team);
  if (training && training->interrupted()) {
    TRY_VOID(close_run(workspace, run, tracking::RunStatus::Interrupted, training->done));
    return TrainResult{.run = std::move(run), .interrupted = true};
  }
  auto result = training ? finish(workspace, run, *training, on_event)
                         : Result<TrainResult>(tl::unexpected<Error>(training.error()));
  if (!result)
    TRY_VOID(close_run(workspace, run, tracking::RunStatus::Failed, json::Value::object(), result.error().message));
  return result;
}

/// A run that others than before go on with: "workers" are those of now, "workers_before" how many were there earlier.
json::Value with_workers(json::Value params, const std::vector<json::Value>& team) {
  const int before = params.value("workers", 1);
  const int now = team.empty() ? 1 : team.front().value("size", 1);
  if (now == before) return params;
  params["workers_before"].push_back(before);
  params["workers"] = now;
  return params;
}

/// The version that this run registered before its process died, if it came that far.
Result<std::optional<registry::ModelVersion>> version_of_run(Workspace& workspace, const tracking::Run& run) {
  TRY(const auto versions, workspace.models().list(run.params["model"].get<std::string>()));
  for (const auto& version : versions) {
    if (version.run == run.id) return version;
  }
  return std::nullopt;
}

/// Writes down what a run came to that died between registering its version and saying so.
Result<TrainResult> finish_registered(Workspace& workspace, tracking::Run run, const registry::ModelVersion& version) {
  std::string verdict;
  bool champion = false;
  for (const char* alias : {"challenger", "champion"}) {
    TRY(const auto moves, workspace.models().alias_history(version.model, alias));
    for (const auto& move : moves) {
      if (move.version != version.version || !move.reason.starts_with(alias)) continue;
      verdict = move.reason;
      champion = std::string_view(alias) == "champion";
    }
  }
  TRY_VOID(close_run(workspace, run, tracking::RunStatus::Finished,
                     {{"model", version.model},
                      {"version", version.version},
                      {"verdict", verdict},
                      {"champion", champion},
                      {"test_accuracy", version.test_accuracy}}));
  return TrainResult{.run = std::move(run), .interrupted = false, .version = version, .verdict = verdict};
}

}  // namespace

Result<TrainResult> train_and_register(Workspace& workspace, const TrainRequest& request, const OnEvent& on_event,
                                       const ShouldStop& should_stop) {
  TRY(const auto manifest, workspace.datasets().load(request.dataset));
  json::Value params{{"dataset", manifest.name + "@" + data::version_of(manifest)},
                     {"model", request.model},
                     {"recipe", request.recipe},
                     {"seed", request.seed},
                     {"threads", request.threads > 0 ? request.threads : all_threads()},
                     {"margin", request.margin},
                     {"code_version", request.code_version},
                     {"machine", describe_machine()}};
  if (!request.initial_weights.empty()) {
    params["initial_weights"] = request.initial_weights.string();
    TRY(params["initial_weights_sha256"], sha256_file(request.initial_weights));
  }
  params.update(request.extra);
  TRY(auto run, workspace.runs().create(request.kind, params));
  TRY(const auto owner, own_run(workspace.run_folder(run.id), should_stop));
  on_event({{"event", "run"}, {"run", run.id}});
  workspace.observers().on_start(run, false);
  return carry_out(workspace, std::move(run), request.trainer, false, request.team, on_event, should_stop);
}

Result<TrainResult> resume_training(Workspace& workspace, const std::string& run, const fs::path& trainer,
                                    const OnEvent& on_event, const ShouldStop& should_stop,
                                    const std::vector<json::Value>& team) {
  TRY(auto found, workspace.runs().find(run));
  if (found.status == tracking::RunStatus::Finished)
    return fail(ErrorCode::InvalidArgument, "run {} is finished: there is nothing to resume", found.id);
  if (found.kind == "repro")
    return fail(ErrorCode::InvalidArgument, "run {} was to repeat {}: start `imago runs repro` again", found.id,
                found.params.value("reproduces", "another"));
  TRY(const auto owner, own_run(workspace.run_folder(found.id), should_stop));
  on_event({{"event", "run"}, {"run", found.id}});
  TRY(const auto registered, version_of_run(workspace, found));
  if (registered) return finish_registered(workspace, std::move(found), *registered);
  // A run that died before its first checkpoint starts again from its seed: the same run, later.
  const bool has_checkpoint = fs::exists(workspace.run_folder(found.id) / "checkpoint.bin");
  found.params = with_workers(std::move(found.params), team);
  TRY_VOID(workspace.runs().reopen(found.id, found.params));
  workspace.observers().on_start(found, true);
  return carry_out(workspace, std::move(found), trainer, has_checkpoint, team, on_event, should_stop);
}

}  // namespace imago::pipeline
