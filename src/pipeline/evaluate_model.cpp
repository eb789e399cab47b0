// SPDX-License-Identifier: Apache-2.0
#include "pipeline/evaluate_model.hpp"

#include "infer/engine.hpp"

namespace imago::pipeline {
namespace {

Result<void> check_labels(const std::vector<std::string>& model, const std::vector<std::string>& dataset) {
  if (model.size() != dataset.size())
    return fail(ErrorCode::InvalidArgument, "the model has {} classes, the data set {}", model.size(), dataset.size());
  for (std::size_t i = 0; i < model.size(); ++i) {
    if (model[i] != dataset[i])
      return fail(ErrorCode::InvalidArgument, "class {} is '{}' for the model and '{}' in the data set", i, model[i],
                  dataset[i]);
  }
  return {};
}

}  // namespace

Result<evaluate::Metrics> evaluate_split(Workspace& workspace, model::Classifier& classifier,
                                         const model::ModelSpec& spec, const data::Manifest& manifest,
                                         data::Split split, const OnProgress& on_progress) {
  TRY_VOID(check_labels(spec.labels, manifest.labels));
  TRY(const auto packed, data::open_packed(workspace.datasets(), manifest, split, spec.preprocess, {}));
  TRY(const auto logits, evaluate::predict_split(classifier, packed, spec.preprocess, on_progress));
  return evaluate::compute_metrics(logits, packed.labels(), spec.labels, spec.temperature);
}

Result<json::Value> accuracy_by_views(Workspace& workspace, const package::ModelPackage& package,
                                      const data::Manifest& manifest, data::Split split,
                                      const evaluate::Metrics& metrics, const OnProgress& on_progress) {
  json::Value accuracies = json::Value::object();
  const model::ModelSpec& spec = package.spec;
  if (spec.views == spec.evaluation_views && spec.views == model::Views::None) return accuracies;
  accuracies[std::string(to_string(spec.views))] = metrics.accuracy;
  for (const auto views : {model::Views::None, spec.evaluation_views}) {
    const std::string name(to_string(views));
    if (accuracies.contains(name)) continue;
    TRY(const auto engine, infer::Engine::load(package, {.views = views}));
    TRY(const auto measured, evaluate_split(workspace, *engine, spec, manifest, split, on_progress));
    accuracies[name] = measured.accuracy;
  }
  return accuracies;
}

Result<Evaluation> evaluate_model(Workspace& workspace, const std::string& model, const std::string& dataset,
                                  const OnProgress& on_progress) {
  TRY(auto version, workspace.models().resolve(model));
  TRY(const auto made, workspace.models().open(version));
  std::string reference = dataset.empty() ? made.lineage.value("dataset", "") : dataset;
  if (reference.empty())
    return fail(ErrorCode::InvalidArgument, "{}:{} does not say what it was trained on: name a data set with --data",
                version.model, version.version);
  auto split = data::Split::Test;
  if (const auto colon = reference.find(':'); colon != std::string::npos) {
    TRY(split, data::split_from(reference.substr(colon + 1)));
    reference.resize(colon);
  }
  TRY(const auto manifest, workspace.datasets().load(reference));
  TRY(const auto engine, infer::Engine::load(made));
  TRY(auto metrics, evaluate_split(workspace, *engine, made.spec, manifest, split, on_progress));
  TRY(auto views, accuracy_by_views(workspace, made, manifest, split, metrics, on_progress));
  return Evaluation{std::move(version), manifest.name + "@" + data::version_of(manifest), split, std::move(metrics),
                    std::move(views)};
}

}  // namespace imago::pipeline
