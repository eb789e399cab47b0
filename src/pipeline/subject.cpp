// SPDX-License-Identifier: Apache-2.0
#include "pipeline/subject.hpp"

#include "pipeline/lineage_data.hpp"

namespace imago::pipeline {
namespace {

constexpr std::string_view kNameAnother = "name a data set with the model's classes (--data)";

/// What was asked for, or what the model was trained on.
Result<void> load_manifest(Workspace& workspace, const std::string& asked, const std::string& trained_on,
                           Subject& subject) {
  if (!asked.empty()) {
    TRY(subject.manifest, workspace.datasets().load(asked));
    return {};
  }
  auto manifest = load_or_newest(workspace.datasets(), trained_on);
  if (!manifest)
    return fail(manifest.error().code, "{} was trained on {}: {}, or name another with --data", subject.name(),
                trained_on, manifest.error().message);
  subject.manifest = std::move(*manifest);
  if (subject.dataset() != trained_on)
    subject.note = fmt::format("{} was trained on {}, which is not here: measured on {}, the newest version of it",
                               subject.name(), trained_on, subject.dataset());
  return {};
}

Result<void> check_split(const data::Manifest& manifest, data::Split split) {
  if (!manifest.indices(split).empty()) return {};
  std::string others;
  for (const auto other : {data::Split::Train, data::Split::Validation, data::Split::Test}) {
    if (const auto n = manifest.indices(other).size(); n > 0)
      others += fmt::format("{}{} ({} images)", others.empty() ? "" : ", ", data::to_string(other), n);
  }
  return fail(ErrorCode::InvalidArgument, "data set '{}' has no {} split: it has {}; name one with --data {}:SPLIT",
              manifest.name, data::to_string(split), others, manifest.name);
}

}  // namespace

Result<void> check_labels(const std::vector<std::string>& model, const std::vector<std::string>& dataset) {
  if (model.size() != dataset.size())
    return fail(ErrorCode::InvalidArgument, "the model has {} classes, the data set {}; {}", model.size(),
                dataset.size(), kNameAnother);
  for (std::size_t i = 0; i < model.size(); ++i) {
    if (model[i] != dataset[i])
      return fail(ErrorCode::InvalidArgument, "class {} is '{}' for the model and '{}' in the data set; {}", i,
                  model[i], dataset[i], kNameAnother);
  }
  return {};
}

Result<Subject> open_subject(Workspace& workspace, const std::string& model, const std::string& dataset,
                             data::Split otherwise) {
  Subject subject;
  subject.split = otherwise;
  TRY(subject.version, workspace.models().resolve(model));
  TRY(subject.package, workspace.models().open(subject.version));
  const auto trained_on = subject.package.lineage.value("dataset", "");
  std::string reference = dataset;
  if (reference.empty() && trained_on.empty())
    return fail(ErrorCode::InvalidArgument, "{} does not say what it was trained on: name a data set with --data",
                subject.name());
  if (const auto colon = reference.find(':'); colon != std::string::npos) {
    TRY(subject.split, data::split_from(reference.substr(colon + 1)));
    reference.resize(colon);
  }
  TRY_VOID(load_manifest(workspace, reference, trained_on, subject));
  TRY_VOID(check_labels(subject.package.spec.labels, subject.manifest.labels));
  TRY_VOID(check_split(subject.manifest, subject.split));
  TRY(subject.images,
      data::open_packed(workspace.datasets(), subject.manifest, subject.split, subject.package.spec.preprocess, {}));
  return subject;
}

}  // namespace imago::pipeline
