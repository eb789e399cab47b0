// SPDX-License-Identifier: Apache-2.0
#include "pipeline/reproduce.hpp"

#include <bit>
#include <cmath>

#include "base/files.hpp"
#include "model/safetensors.hpp"
#include "pipeline/machine.hpp"
#include "pipeline/run_owner.hpp"

namespace imago::pipeline {
namespace {

constexpr const char* kWeights = "weights.safetensors";

/// The weights that the run's version has in the registry.
Result<fs::path> weights_of(Workspace& workspace, const tracking::Run& run) {
  if (run.status != tracking::RunStatus::Finished || !run.summary.is_object() || !run.summary.contains("version"))
    return fail(ErrorCode::InvalidArgument, "run {} made no model version: it is {}", run.id,
                run.kind == "repro" ? "a repetition itself" : std::string(tracking::to_string(run.status)));
  TRY(const auto model, json::get<std::string>(run.summary, "model"));
  TRY(const auto number, json::get<int>(run.summary, "version"));
  TRY(const auto version, workspace.models().resolve(fmt::format("{}:{}", model, number)));
  TRY(const auto package, workspace.models().open(version));
  return package.weights_path();
}

/// What the weights depend on and is not as it was; empty when all is.
Result<std::string> what_changed(const tracking::Run& run, const std::string& code_version) {
  const json::Value& params = run.params;
  const std::string program = params.value("code_version", "");
  if (program != code_version)
    return fmt::format("it was trained by program version {}, this is {}", program, code_version);
  const json::Value machine = params.value("machine", json::Value::object());
  const json::Value here = describe_machine();
  const std::string processor = here["cpu"].get<std::string>();
  if (machine.value("cpu", "") != processor)
    return fmt::format("it was trained on '{}', this is '{}'", machine.value("cpu", "?"), processor);
  if (params.value("recipe", json::Value::object()).value("max_minutes", 0.0) > 0)
    return "it had a time budget, whose schedule follows the clock (`imago train --max-minutes 0` has none)";
  if (const int workers = params.value("workers", 1); workers > 1)
    return fmt::format("{} workers trained it together, and this is one", workers);
  if (params.contains("workers_before")) return "another number of workers trained a part of it";
  const std::string file = params.value("initial_weights", "");
  if (file.empty()) return std::string();
  TRY(const auto hash, sha256_file(file));
  if (hash != params.value("initial_weights_sha256", ""))
    return fmt::format("the weights it started from, {}, have changed", file);
  return std::string();
}

/// The data set version of the record, or with `force` the newest of that name.
Result<std::string> dataset_of(Workspace& workspace, const tracking::Run& run, bool force) {
  TRY(const auto reference, json::get<std::string>(run.params, "dataset"));
  auto there = workspace.datasets().load(reference);
  if (there) return reference;
  const std::string name = reference.substr(0, reference.find('@'));
  const auto newest = workspace.datasets().load(name);
  if (!newest) return pass(there);
  const std::string now = name + "@" + data::version_of(*newest);
  if (force) return now;
  return fail(ErrorCode::InvalidArgument, "data set {} of run {} is gone, the newest is {}; --force trains on that",
              reference, run.id, now);
}

/// The record's curves side by side: the first epoch that came out otherwise.
Result<std::string> first_epoch_apart(tracking::RunStore& runs, const tracking::Run& then, const tracking::Run& now) {
  TRY(const auto before, runs.metrics(then.id));
  TRY(const auto after, runs.metrics(now.id));
  std::int64_t epoch = -1;
  std::string text;
  for (const char* name : {"loss", "accuracy", "val_loss", "val_accuracy"}) {
    const auto a = before.find(name);
    const auto b = after.find(name);
    if (a == before.end() || b == after.end()) continue;
    for (std::size_t i = 0; i < std::min(a->second.size(), b->second.size()); ++i) {
      const auto& was = a->second[i];
      const auto& is = b->second[i];
      if (was.value == is.value || (epoch >= 0 && was.step >= epoch)) continue;
      epoch = was.step;
      text = fmt::format("epoch {}: {} was {}, now {}", was.step, name, was.value, is.value);
    }
  }
  return text;
}

Result<std::string> explain_difference(Workspace& workspace, const Reproduction& done, const fs::path& then,
                                       const fs::path& now) {
  TRY(const auto weights_then, model::read_safetensors(then));
  TRY(const auto weights_now, model::read_safetensors(now));
  TRY(auto text, first_epoch_apart(workspace.runs(), done.original, done.repeated));
  const auto tensor = first_difference(weights_then, weights_now);
  if (text.empty()) return tensor.empty() ? "the same weights in files that differ" : tensor;
  return text + "; " + tensor;
}

/// Trains and compares; the new run's record says how it went.
Result<void> repeat(Workspace& workspace, const ReproduceRequest& request, const fs::path& weights, Reproduction& done,
                    const OnEvent& on_event, const ShouldStop& should_stop) {
  const fs::path package = workspace.run_folder(done.repeated.id) / "package";
  TRY(const auto training, run_trainer(workspace, done.repeated, request.trainer, false, on_event, should_stop));
  if (training.interrupted()) return fail(ErrorCode::Cancelled, "stopped before it could be compared");
  TRY(done.sha256_then, sha256_file(weights));
  TRY(done.sha256_now, sha256_file(package / kWeights));
  done.identical = done.sha256_then == done.sha256_now;
  if (!done.identical) {
    TRY(done.difference, explain_difference(workspace, done, weights, package / kWeights));
  }
  done.repeated.status = tracking::RunStatus::Finished;
  done.repeated.summary = {{"reproduces", done.original.id},
                           {"identical", done.identical},
                           {"weights_sha256", done.sha256_now},
                           {"difference", done.difference},
                           {"outcome", training.done}};
  return {};
}

}  // namespace

std::string first_difference(const model::Weights& then, const model::Weights& now) {
  for (const auto& [name, tensor] : then) {
    const auto found = now.find(name);
    if (found == now.end()) return fmt::format("there is no {} any more", name);
    if (found->second.shape != tensor.shape) return fmt::format("{} has another shape", name);
    for (std::size_t i = 0; i < tensor.data.size(); ++i) {
      const float was = tensor.data[i];
      const float is = found->second.data[i];
      if (std::bit_cast<std::uint32_t>(was) != std::bit_cast<std::uint32_t>(is))
        return fmt::format("{}[{}] was {}, now {}", name, i, was, is);
    }
  }
  for (const auto& [name, tensor] : now)
    if (!then.contains(name)) return fmt::format("{} is new", name);
  return {};
}

Result<Reproduction> reproduce(Workspace& workspace, const ReproduceRequest& request, const OnEvent& on_event,
                               const ShouldStop& should_stop) {
  Reproduction done;
  TRY(done.original, workspace.runs().find(request.run));
  TRY(const auto weights, weights_of(workspace, done.original));
  TRY(const auto changed, what_changed(done.original, request.code_version));
  if (!changed.empty() && !request.force)
    return fail(ErrorCode::InvalidArgument, "run {} would not come out the same: {}; --force trains all the same",
                done.original.id, changed);
  json::Value params = done.original.params;
  TRY(params["dataset"], dataset_of(workspace, done.original, request.force));
  params["code_version"] = request.code_version;
  params["machine"] = describe_machine();
  params["reproduces"] = done.original.id;
  for (const char* several : {"workers", "workers_before"}) params.erase(several);  // one process does it

  TRY(done.repeated, workspace.runs().create("repro", params));
  const fs::path folder = workspace.run_folder(done.repeated.id);
  TRY(const auto owner, own_run(folder, should_stop));
  on_event({{"event", "run"}, {"run", done.repeated.id}});
  auto repeated = repeat(workspace, request, weights, done, on_event, should_stop);
  const auto status = repeated                                        ? tracking::RunStatus::Finished
                      : repeated.error().code == ErrorCode::Cancelled ? tracking::RunStatus::Interrupted
                                                                      : tracking::RunStatus::Failed;
  TRY_VOID(workspace.runs().finish(done.repeated.id, status, done.repeated.summary,
                                   repeated ? "" : repeated.error().message));
  std::error_code ignored;  // what it made has been compared; the record stays
  for (const char* made : {"package", "checkpoint.bin"}) fs::remove_all(folder / made, ignored);
  if (!repeated) return pass(repeated);
  return done;
}

}  // namespace imago::pipeline
