// SPDX-License-Identifier: Apache-2.0
#include "pipeline/check_dataset.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "base/files.hpp"
#include "base/rng.hpp"
#include "evaluate/predictions.hpp"
#include "infer/engine.hpp"
#include "jobs/child_process.hpp"
#include "model/classifier.hpp"
#include "model/spec.hpp"

namespace imago::pipeline {
namespace {

/// Of the images that are not held out, one in so many is for choosing the epoch and the temperature.
constexpr std::size_t kValidationEvery = 20;

/// The data set as one fold's training sees it: what is held out is the test split.
data::Manifest fold_manifest(const data::Manifest& manifest, const std::vector<int>& folds, int fold) {
  data::Manifest made{.name = "fold", .labels = manifest.labels, .entries = manifest.entries, .parent = ""};
  std::vector<std::size_t> seen(manifest.labels.size());
  for (std::size_t i = 0; i < made.entries.size(); ++i) {
    auto& entry = made.entries[i];
    if (folds[i] == fold) {
      entry.split = data::Split::Test;
      continue;
    }
    const bool chooses = ++seen[static_cast<std::size_t>(entry.label)] % kValidationEvery == 0;
    entry.split = chooses ? data::Split::Validation : data::Split::Train;
  }
  if (made.indices(data::Split::Validation).empty()) {
    const auto first = std::find_if(made.entries.begin(), made.entries.end(),
                                    [](const data::Entry& entry) { return entry.split == data::Split::Train; });
    if (first != made.entries.end()) first->split = data::Split::Validation;
  }
  return made;
}

Result<void> train(const LabelCheckRequest& request, const fs::path& folder, const std::string& dataset, int fold,
                   const OnEvent& on_event, const ShouldStop& should_stop) {
  const json::Value job{{"datasets", (folder / "datasets").string()},
                        {"dataset", dataset},
                        {"run_folder", (folder / "run").string()},
                        {"package_folder", (folder / "run" / "package").string()},
                        {"model_name", "fold"},
                        {"recipe", request.recipe},
                        {"seed", request.seed},
                        {"threads", request.threads}};
  std::optional<std::string> error;
  const auto on_line = [&](json::Value event) {
    if (event.value("event", "") == "error") error = event.value("message", "training failed");
    event["fold"] = fold;
    event["folds"] = request.folds;
    on_event(event);
  };
  const jobs::ChildOptions child{.command = {request.trainer.string()}, .input = json::dump(job)};
  TRY(const auto ended, jobs::run_child(child, on_line, should_stop, false));
  if (should_stop()) return fail(ErrorCode::Cancelled, "stopped before all labels were checked");
  if (error) return fail(ErrorCode::Internal, "fold {}: {}", fold, *error);
  if (ended.end != jobs::ChildEnd::Exited || ended.code != 0)
    return fail(ErrorCode::Internal, "fold {}: the training process ended with {} {}", fold,
                ended.end == jobs::ChildEnd::Signaled ? "signal" : "status", ended.code);
  return {};
}

/// Whoever trains on mirror images takes them for the same.
bool sees_mirror_images(const json::Value& recipe) {
  const auto augmentation = recipe.find("augmentation");
  return augmentation != recipe.end() && augmentation->value("flip", "none") != "none";
}

/// Trains without the fold and writes the probabilities of its images where they belong.
Result<void> predict_fold(Workspace& workspace, const LabelCheckRequest& request, const data::Manifest& manifest,
                          int fold, std::vector<float>& probabilities, const OnEvent& on_event,
                          const ShouldStop& should_stop) {
  TRY(const auto temporary, TemporaryDirectory::create(workspace.folder(), "label-check"));
  const fs::path& folder = temporary.path();
  TRY_VOID(make_directories(folder / "datasets"));
  TRY_VOID(make_directories(folder / "run"));
  std::error_code error;
  fs::create_directory_symlink(fs::absolute(workspace.datasets().folder()) / "objects", folder / "datasets" / "objects",
                               error);
  if (error) return fail(ErrorCode::Internal, "{}: {}", folder.string(), error.message());
  data::Repository repository(folder / "datasets");
  TRY(const auto version, repository.publish(manifest, {}));
  TRY_VOID(train(request, folder, "fold@" + version, fold, on_event, should_stop));

  package::ModelPackage package;
  package.folder = folder / "run" / "package";
  TRY(const auto spec, json::read(package.folder / "spec.json"));
  TRY(package.spec, model::spec_from_json(spec));
  infer::EngineOptions options;
  if (package.spec.views == model::Views::None && sees_mirror_images(request.recipe))
    options.views = model::Views::Flip;
  TRY(const auto engine, infer::Engine::load(package, options));
  TRY(const auto held_out, data::open_packed(repository, manifest, data::Split::Test, package.spec.preprocess, {}));
  TRY(const auto logits, evaluate::predict_split(*engine, held_out, package.spec.preprocess, {}));
  const auto classes = manifest.labels.size();
  for (std::size_t i = 0; i < held_out.size(); ++i) {
    const auto row = model::softmax(logits.row(static_cast<int>(i)), package.spec.temperature);
    for (std::size_t j = 0; j < classes; ++j)
      probabilities[held_out.entry(i) * classes + j] = static_cast<float>(row[j]);
  }
  return {};
}

data::Finding to_finding(const data::LabelCheck& check, const data::Manifest& manifest) {
  data::Finding finding{.check = "suspicious_label", .severity = data::Severity::Poor, .count = check.issues.size()};
  finding.message = fmt::format("{} labels are probably wrong, by what networks that had not seen these images say",
                                check.issues.size());
  for (const auto& issue : check.issues)
    finding.items.push_back({{issue.image},
                             fmt::format("labelled {} ({:.1f} %), looks like {} ({:.1f} %)",
                                         manifest.labels[static_cast<std::size_t>(issue.given)], 100 * issue.confidence,
                                         manifest.labels[static_cast<std::size_t>(issue.suggested)],
                                         100 * (issue.confidence + issue.margin))});
  return finding;
}

}  // namespace

std::vector<int> assign_folds(const data::Manifest& manifest, int folds, std::uint64_t seed) {
  std::vector<std::vector<std::size_t>> by_label(manifest.labels.size());
  for (std::size_t i = 0; i < manifest.entries.size(); ++i)
    by_label[static_cast<std::size_t>(manifest.entries[i].label)].push_back(i);
  Rng rng(seed);
  std::map<std::string_view, int> of_content;
  int next = 0;  // goes on from label to label, so that small classes do not all begin with the same fold
  for (auto& entries : by_label) {
    rng.shuffle(std::span(entries));
    for (const std::size_t i : entries) {
      if (of_content.emplace(manifest.entries[i].sha256, next).second) next = (next + 1) % folds;
    }
  }
  std::vector<int> assigned;
  for (const auto& entry : manifest.entries) assigned.push_back(of_content.at(entry.sha256));
  return assigned;
}

Result<data::Finding> find_suspicious_labels(Workspace& workspace, const LabelCheckRequest& request,
                                             const OnEvent& on_event, const ShouldStop& should_stop) {
  if (request.folds < 2 || request.folds > 20)
    return fail(ErrorCode::InvalidArgument, "{} folds, but 2 to 20 are possible", request.folds);
  TRY(const auto manifest, workspace.datasets().load(request.dataset));
  const auto folds = assign_folds(manifest, request.folds, request.seed);
  std::vector<float> probabilities(manifest.entries.size() * manifest.labels.size());
  for (int fold = 0; fold < request.folds; ++fold) {
    const auto part = fold_manifest(manifest, folds, fold);
    if (part.indices(data::Split::Test).empty()) continue;
    TRY_VOID(predict_fold(workspace, request, part, fold, probabilities, on_event, should_stop));
  }
  std::vector<int> labels;
  for (const auto& entry : manifest.entries) labels.push_back(entry.label);
  TRY(const auto check, data::find_label_issues(probabilities, labels, static_cast<int>(manifest.labels.size())));
  return to_finding(check, manifest);
}

}  // namespace imago::pipeline
