// SPDX-License-Identifier: Apache-2.0
#include "pipeline/retrain.hpp"

#include <algorithm>

#include "data/uploads.hpp"
#include "pipeline/lineage_data.hpp"

namespace imago::pipeline {
namespace {

constexpr std::uint64_t kReplayForEach = 4, kLeastReplay = 2000;

/// The version that training goes on from, and how it was made.
struct Parent {
  registry::ModelVersion version;
  std::filesystem::path weights;
  std::string dataset;  ///< NAME@VERSION
  json::Value recipe;
};

Result<Parent> parent_of(Workspace& workspace, const std::string& model) {
  Parent parent;
  TRY(parent.version, workspace.models().resolve(model));
  TRY(const auto package, workspace.models().open(parent.version));
  parent.weights = package.weights_path();
  TRY(parent.dataset, json::get_or<std::string>(package.lineage, "dataset", ""));
  parent.recipe = package.lineage.value("recipe", json::Value());
  if (parent.dataset.empty() || !parent.recipe.is_object())
    return fail(ErrorCode::InvalidArgument,
                "{}:{} does not say how and on what it was trained: train a version here first, with `imago train`",
                parent.version.model, parent.version.version);
  return parent;
}

/// A model from elsewhere was trained on a version that may not be here: then on the newest of that name.
Result<data::Manifest> training_set(Workspace& workspace, Parent& parent) {
  auto manifest = load_or_newest(workspace.datasets(), parent.dataset);
  if (manifest) parent.dataset = manifest->name + "@" + data::version_of(*manifest);
  return manifest;
}

json::Value fine_tuning(json::Value recipe, const RetrainRequest& request) {
  recipe["epochs"] = request.epochs;
  recipe["max_minutes"] = 0;
  json::Value& schedule = recipe["schedule"];
  if (!schedule.is_object()) schedule = json::Value::object();
  schedule["peak"] = json::get_or<double>(schedule, "peak", 1e-3).value_or(1e-3) * request.rate;
  return recipe;
}

Result<data::Extension> extend(Workspace& workspace, const Parent& parent, const RetrainRequest& request) {
  data::Uploads uploads(workspace.database(), workspace.folder() / "uploads");
  const std::string name = parent.dataset.substr(0, parent.dataset.find('@'));
  TRY(auto extension, data::extend_dataset(workspace.datasets(), uploads, name, request.uploads));
  if (name + "@" + extension.version == parent.dataset)
    return fail(ErrorCode::InvalidArgument, "nothing new to train on: of {} images none was added to {}{}{}",
                request.uploads.size(), name, extension.refused.empty() ? "" : "; the first one: ",
                extension.refused.empty() ? "" : extension.refused.front().reason);
  return extension;
}

}  // namespace

Result<TrainResult> retrain(Workspace& workspace, const RetrainRequest& request, const OnEvent& on_event,
                            const ShouldStop& should_stop) {
  TRY(auto parent, parent_of(workspace, request.model));
  TRY(const auto before, training_set(workspace, parent));
  on_event({{"event", "note"}, {"message", fmt::format("adding {} images", request.uploads.size())}});
  TRY(const auto extension, extend(workspace, parent, request));
  const auto train_images = [](const data::Manifest& manifest) {
    return static_cast<std::uint64_t>(manifest.indices(data::Split::Train).size());
  };
  const auto now = train_images(extension.manifest), then = train_images(before);
  const std::uint64_t fresh = now > then ? now - then : 0;
  if (fresh == 0)
    return fail(ErrorCode::InvalidArgument,
                "nothing new to train on: all {} images went to the validation split; send some more", extension.added);

  TrainRequest training;
  training.dataset = extension.manifest.name + "@" + extension.version;
  training.model = parent.version.model;
  training.recipe = fine_tuning(parent.recipe, request);
  training.seed = request.seed;
  training.code_version = request.code_version;
  training.trainer = request.trainer;
  training.initial_weights = parent.weights;
  training.kind = "retrain";
  training.margin = request.margin;
  training.extra = {
      {"parent", fmt::format("{}:{}", parent.version.model, parent.version.version)},
      {"strict", true},
      {"replay",
       {{"parent", parent.dataset},
        {"images", request.replay.value_or(std::max(kLeastReplay, kReplayForEach * fresh))}}},
      {"uploads",
       {{"given", request.uploads.size()}, {"added", extension.added}, {"refused", extension.refused.size()}}}};
  if (!request.job.empty()) training.extra["job"] = request.job;
  return train_and_register(workspace, training, on_event, should_stop);
}

}  // namespace imago::pipeline
