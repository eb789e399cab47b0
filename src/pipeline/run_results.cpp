// SPDX-License-Identifier: Apache-2.0
#include "pipeline/run_results.hpp"

#include "evaluate/metrics.hpp"
#include "evaluate/plots.hpp"
#include "pipeline/mlflow_outbox.hpp"

namespace imago::pipeline {
namespace {

json::Value training_logs(const json::Value& history) {
  json::Value logs = json::Value::object();
  for (const char* key : {"loss", "accuracy", "val_loss", "val_accuracy"}) {
    logs[key] = json::Value::array();
    for (const auto& epoch : history) logs[key].push_back(epoch.value(key, json::Value()));
  }
  return logs;
}

Result<void> add_metrics(const json::Value& report, tracking::RunResults& results) {
  TRY(const auto test, json::get<json::Value>(report, "test"));
  TRY(const auto metrics, evaluate::metrics_from_json(test));
  TRY(const auto split, json::get_or<std::string>(report, "test_split", "test"));
  results.metrics[split + "_accuracy"] = metrics.accuracy;
  results.metrics[split + "_log_loss"] = metrics.log_loss;
  results.metrics[split + "_macro_precision"] = metrics.macro_precision;
  results.metrics[split + "_macro_recall"] = metrics.macro_recall;
  results.metrics[split + "_macro_f1"] = metrics.macro_f1;
  std::vector<std::string> labels;
  for (const auto& one : metrics.classes) labels.push_back(one.label);
  results.artifacts.push_back({"confusion_matrix.svg", {}, evaluate::draw_confusion(labels, metrics.confusion)});
  return {};
}

/// The version that a run's summary names, when it made one.
Result<std::optional<registry::ModelVersion>> version_of(Workspace& workspace, const tracking::Run& run) {
  if (!run.summary.is_object() || !run.summary.contains("version")) return std::nullopt;
  TRY(const auto model, json::get<std::string>(run.summary, "model"));
  TRY(const auto number, json::get<int>(run.summary, "version"));
  TRY(auto version, workspace.models().resolve(fmt::format("{}:{}", model, number)));
  return version;
}

Result<tracking::RegisteredModel> registered_model(Workspace& workspace, const registry::ModelVersion& version) {
  tracking::RegisteredModel model{
      .name = version.model, .version = version.version, .digest = version.digest, .aliases = {}};
  TRY(const auto versions, workspace.models().list(version.model));
  for (const auto& one : versions)
    for (const auto& alias : one.aliases) model.aliases[alias] = one.digest;
  return model;
}

/// What makes the folder a model to MLflow's own loaders (mlflow.onnx.load_model, mlflow.pyfunc).
constexpr const char* kMlmodel = R"(artifact_path: model
flavors:
  onnx:
    code: null
    data: model.onnx
    onnx_version: 1.12.0
    providers:
    - CPUExecutionProvider
  python_function:
    data: model.onnx
    loader_module: mlflow.onnx
    python_version: 3.11.2
)";

}  // namespace

Result<tracking::RunResults> results_of(Workspace& workspace, const registry::ModelVersion& version,
                                        const std::filesystem::path& package) {
  TRY(const auto report, json::read(package / "report.json"));
  tracking::RunResults results;
  results.tags = {{"imago.model_version", fmt::format("{}", version.version)}, {"imago.digest", version.digest}};
  TRY_VOID(add_metrics(report, results));
  const json::Value training = report.value("training", json::Value::object());
  const json::Value history = training.is_object() ? training.value("history", json::Value::array()) : json::Value();
  if (history.is_array()) {
    results.artifacts.push_back({"curves.svg", {}, evaluate::draw_curves(evaluate::curve_panels(history), "epoch")});
    results.artifacts.push_back({"training_logs.json", {}, json::dump_pretty(training_logs(history)) + "\n"});
  }
  results.artifacts.push_back({"report.json", package / "report.json", {}});
  results.artifacts.push_back({"model/MLmodel", {}, kMlmodel});
  TRY(results.model, registered_model(workspace, version));
  // The large ones last: what a server that gives up has by then is worth most.
  for (const char* name : {"spec.json", "lineage.json", "model.onnx", "weights.safetensors"})
    results.artifacts.push_back({std::string("model/") + name, package / name, {}});
  return results;
}

Result<std::string> export_to_mlflow(Workspace& workspace, const std::string& run, tracking::MlflowServer server,
                                     Deadline deadline) {
  TRY(const auto record, workspace.runs().find(run));
  TRY(const auto version, version_of(workspace, record));
  tracking::MlflowCopy copy(std::move(server), workspace.runs(), record.id);
  if (deadline) copy.set_deadline(*deadline);
  if (version) {
    TRY(const auto package, workspace.models().open(*version));
    TRY(auto results, results_of(workspace, *version, package.folder));
    results.tags["imago.verdict"] = record.summary.value("verdict", "");
    TRY_VOID(copy.complete(results));
  } else {
    TRY_VOID(copy.complete({}));
  }
  if (record.status != tracking::RunStatus::Running) forget_unsent(workspace, record.id);
  return copy.page();
}

}  // namespace imago::pipeline
