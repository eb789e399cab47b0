// SPDX-License-Identifier: Apache-2.0
// imago models threshold
#include <fmt/ranges.h>

#include "app/audit_note.hpp"
#include "app/models_command.hpp"
#include "app/table.hpp"
#include "app/terminal.hpp"
#include "pipeline/fit_abstention.hpp"

namespace imago::app {
namespace {

struct ModelsThresholdOptions {
  pipeline::AbstentionRequest request;
  std::optional<double> confidence, energy;
  bool off = false;

  [[nodiscard]] bool finds() const { return request.accuracy || request.keep; }
  [[nodiscard]] bool sets() const { return confidence || energy; }
};

std::string in_words(const model::AbstentionPolicy& policy, const std::vector<std::string>& labels) {
  if (policy.empty()) return "it answers always\n";
  std::string text;
  if (policy.least_confidence.size() == 1) {
    text = fmt::format("abstains below a confidence of {:.4f}\n", policy.least_confidence.front());
  } else if (!policy.least_confidence.empty()) {
    std::vector<std::vector<std::string>> rows{{"SAID", "ABSTAINS BELOW"}};
    for (std::size_t i = 0; i < labels.size(); ++i)
      rows.push_back({labels[i], fmt::format("{:.4f}", policy.least_confidence[i])});
    text = format_columns(rows);
  }
  if (policy.most_energy) text += fmt::format("abstains above an energy of {:.4f}\n", *policy.most_energy);
  return text;
}

json::Value policy_json(const registry::ModelVersion& version) {
  return {{"model", version.model}, {"version", version.version}, {"abstention", model::to_json(version.abstention)}};
}

Result<void> show(Context& context, pipeline::Workspace& workspace, const registry::ModelVersion& version) {
  TRY(const auto package, workspace.models().open(version));
  TRY(const auto changes, workspace.models().abstention_history(version.model, version.version));
  json::Value value = policy_json(version);
  value["changes"] = json::Value::array();
  std::vector<std::vector<std::string>> rows{{"SINCE", "REASON"}};
  for (const auto& change : changes) {
    value["changes"].push_back(
        {{"time", change.time}, {"reason", change.reason}, {"abstention", model::to_json(change.policy)}});
    rows.push_back({change.time, change.reason});
  }
  context.answer(value, fmt::format("{}:{}\n{}{}", version.model, version.version,
                                    in_words(version.abstention, package.spec.labels),
                                    changes.empty() ? "" : "\n" + format_columns(rows)));
  return {};
}

Result<void> set(Context& context, pipeline::Workspace& workspace, const registry::ModelVersion& version,
                 const ModelsThresholdOptions& options) {
  model::AbstentionPolicy policy;
  if (options.confidence) policy.least_confidence = {*options.confidence};
  policy.most_energy = options.energy;
  const std::string& why = options.request.reason;
  TRY(const auto changed, workspace.models().set_abstention(version, policy,
                                                            !why.empty()  ? why
                                                            : options.off ? "switched off"
                                                                          : "set by hand"));
  TRY(const auto package, workspace.models().open(changed));
  context.answer(policy_json(changed), fmt::format("{}:{}\n{}", changed.model, changed.version,
                                                   in_words(changed.abstention, package.spec.labels)));
  return {};
}

Result<void> fit(Context& context, pipeline::Workspace& workspace, const ModelsThresholdOptions& options) {
  Progress progress(context.progress());
  TRY(const auto fitted, pipeline::fit_abstention(workspace, options.request, [&](std::size_t done, std::size_t total) {
        progress.update("answering", done, total);
      }));
  progress.end();
  TRY(const auto package, workspace.models().open(fitted.version));
  const auto found = evaluate::to_json(fitted.outcome);
  json::Value value = policy_json(fitted.version);
  value["found_on"] = found;
  const auto& accuracy = found["accuracy"];
  context.answer(
      value, fmt::format("{}:{}\n{}on {}: answers {:.2f} %, of which {} are right\n", fitted.version.model,
                         fitted.version.version, in_words(fitted.version.abstention, package.spec.labels),
                         fitted.version.abstention.fitted.value("data", ""), 100.0 * found["coverage"].get<double>(),
                         accuracy.is_null() ? "none" : fmt::format("{:.2f} %", 100.0 * accuracy.get<double>())));
  return {};
}

Result<void> run_threshold(Context& context, const ModelsThresholdOptions& options) {
  if (int{options.finds()} + int{options.sets()} + int{options.off} > 1)
    return fail(
        ErrorCode::InvalidArgument,
        "limits are found (--accuracy, --keep), set (--confidence, --energy) or taken away (--off): one of these");
  if (options.request.per_class && !options.request.accuracy)
    return fail(ErrorCode::InvalidArgument, "--per-class finds a least confidence for each class: it needs --accuracy");
  TRY(auto* workspace, context.workspace());
  if (options.finds()) return fit(context, *workspace, options);
  TRY(const auto version, workspace->models().resolve(options.request.model));
  return options.sets() || options.off ? set(context, *workspace, version, options)
                                       : show(context, *workspace, version);
}

}  // namespace

void add_threshold(CLI::App& models, Context& context) {
  auto* command = models.add_subcommand("threshold", "When a version says that it does not know: find, set or show it");
  auto options = std::make_shared<ModelsThresholdOptions>();
  auto& request = options->request;
  command->add_option("model", request.model, "MODEL (its champion), MODEL:VERSION or MODEL:ALIAS")->required();
  command
      ->add_option("--accuracy", request.accuracy,
                   "Find the least confidence at which so much of what it answers is right")
      ->type_name("SHARE");
  command
      ->add_option("--certainty", request.certainty,
                   "That this holds on other images too; 0: it is enough that it holds on those it is found on")
      ->type_name("SHARE")
      ->capture_default_str();
  command->add_flag("--per-class", request.per_class, "One for each class");
  command
      ->add_option("--keep", request.keep,
                   "Find the most energy that keeps so much of the data: what is above looks unfamiliar")
      ->type_name("SHARE");
  command->add_option("-d,--data", request.dataset,
                      "To find it on: NAME[@VERSION][:SPLIT]; default: the validation split of what it was trained on");
  command->add_option("--confidence", options->confidence, "Set the least confidence by hand");
  command->add_option("--energy", options->energy, "Set the most energy by hand");
  command->add_flag("--off", options->off, "Take the limits away");
  command->add_option("--reason", request.reason, "Kept in the history");
  command->footer(
      "Without one of these it shows the limits and their history. A server that serves the version follows.\n"
      "Examples:\n  imago models threshold cifar10 --accuracy 0.99 --keep 0.95\n"
      "  imago models threshold cifar10:2 --confidence 0.7\n  imago models threshold cifar10 --off");
  command->callback([&context, options] {
    context.action = [&context, options] {
      auto outcome = run_threshold(context, *options);
      if (!options->finds() && !options->sets() && !options->off) return outcome;
      return note_change(context, "models threshold", options->request.model, std::move(outcome));
    };
  });
}

}  // namespace imago::app
