// SPDX-License-Identifier: Apache-2.0
#include "pipeline/job.hpp"

#include <optional>

#include "pipeline/retrain.hpp"
#include "pipeline/train_and_register.hpp"

namespace imago::pipeline {
namespace {

/// Newest runs that are looked through for one of this job.
constexpr int kRecentRuns = 50;

/// The run this job began before. It may have died before it could say which: so by the run's own word.
Result<std::optional<tracking::Run>> run_of(Workspace& workspace, const jobs::Job& job) {
  if (job.attempts <= 1 && job.progress.is_null()) return std::nullopt;
  TRY(const auto runs, workspace.runs().list(kRecentRuns));
  for (const auto& run : runs) {
    if (run.params.value("job", "") == job.id) return run;
  }
  return std::nullopt;
}

json::Value result_of(const tracking::Run& run) {
  json::Value result{{"run", run.id}};
  for (const char* key : {"model", "version", "verdict", "champion", "test_accuracy", "previous_accuracy"}) {
    if (run.summary.contains(key)) result[key] = run.summary[key];
  }
  return result;
}

Result<TrainResult> train(Workspace& workspace, const jobs::Job& job, const JobTools& tools, const OnEvent& on_event,
                          const ShouldStop& should_stop) {
  TrainRequest request;
  TRY(request.dataset, json::get<std::string>(job.payload, "dataset"));
  TRY(request.model, json::get<std::string>(job.payload, "model"));
  TRY(const auto recipe, json::get<std::string>(job.payload, "recipe"));
  TRY(request.recipe, tools.load_recipe(recipe));
  for (const char* key : {"epochs", "max_minutes"}) {
    if (job.payload.contains(key)) request.recipe[key] = job.payload[key];
  }
  TRY(request.seed, json::get_or<std::uint64_t>(job.payload, "seed", 1));
  request.code_version = tools.code_version;
  request.trainer = tools.trainer;
  request.extra["job"] = job.id;
  return train_and_register(workspace, request, on_event, should_stop);
}

Result<TrainResult> retrain_for(Workspace& workspace, const jobs::Job& job, const JobTools& tools,
                                const OnEvent& on_event, const ShouldStop& should_stop) {
  RetrainRequest request;
  TRY(request.model, json::get<std::string>(job.payload, "model"));
  TRY(request.uploads, json::get<std::vector<std::string>>(job.payload, "files"));
  TRY(request.epochs, json::get_or<int>(job.payload, "epochs", request.epochs));
  if (job.payload.contains("replay")) {
    TRY(request.replay, json::get<std::uint64_t>(job.payload, "replay"));
  }
  TRY(request.margin, json::get_or<double>(job.payload, "margin", request.margin));
  TRY(request.rate, json::get_or<double>(job.payload, "rate", request.rate));
  TRY(request.seed, json::get_or<std::uint64_t>(job.payload, "seed", request.seed));
  request.code_version = tools.code_version;
  request.trainer = tools.trainer;
  request.job = job.id;
  return retrain(workspace, request, on_event, should_stop);
}

Result<TrainResult> begin(Workspace& workspace, const jobs::Job& job, const JobTools& tools, const OnEvent& on_event,
                          const ShouldStop& should_stop) {
  if (job.kind == "train") return train(workspace, job, tools, on_event, should_stop);
  if (job.kind == "retrain") return retrain_for(workspace, job, tools, on_event, should_stop);
  return fail(ErrorCode::Unsupported, "no way to do a job of kind '{}'", job.kind);
}

}  // namespace

Result<json::Value> do_job(Workspace& workspace, const jobs::Job& job, const JobTools& tools, const OnEvent& on_event,
                           const ShouldStop& should_stop) {
  TRY(const auto before, run_of(workspace, job));
  if (before && before->status == tracking::RunStatus::Finished) return result_of(*before);
  TRY(const auto done, before ? resume_training(workspace, before->id, tools.trainer, on_event, should_stop)
                              : begin(workspace, job, tools, on_event, should_stop));
  if (done.interrupted) return fail(ErrorCode::Cancelled, "stopped; a checkpoint of run {} is kept", done.run.id);
  return result_of(done.run);
}

}  // namespace imago::pipeline
