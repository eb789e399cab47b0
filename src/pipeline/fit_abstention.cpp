// SPDX-License-Identifier: Apache-2.0
#include "pipeline/fit_abstention.hpp"

#include "base/log.hpp"

namespace imago::pipeline {
namespace {

/// Before any image is answered.
Result<void> check_request(const AbstentionRequest& request) {
  if (!request.accuracy && !request.keep)
    return fail(ErrorCode::InvalidArgument, "nothing to find: ask for an accuracy, or for a share to keep by energy");
  if (request.accuracy) {
    TRY_VOID(evaluate::check_goal({*request.accuracy, request.certainty}));
  }
  if (request.keep && !(*request.keep > 0.0 && *request.keep <= 1.0))
    return fail(ErrorCode::InvalidArgument, "a share of {} cannot be kept: it is above 0 and at most 1", *request.keep);
  return {};
}

/// The most energy, and the answers that it leaves.
std::vector<evaluate::Answer> fit_energy(const SplitAnswers& split, double keep, model::AbstentionPolicy& policy) {
  std::vector<double> energies;
  for (int i = 0; i < split.logits.n; ++i) energies.push_back(model::energy(split.logits.row(i)));
  policy.most_energy = evaluate::fit_most_energy(energies, keep);
  policy.fitted["keep"] = keep;
  std::vector<evaluate::Answer> left;
  for (std::size_t i = 0; i < energies.size(); ++i) {
    if (energies[i] <= *policy.most_energy) left.push_back(split.answers[i]);
  }
  return left;
}

Result<void> fit_confidence(const std::vector<evaluate::Answer>& answers, const std::vector<std::string>& labels,
                            const evaluate::SelectiveGoal& goal, bool per_class, model::AbstentionPolicy& policy) {
  policy.fitted["accuracy"] = goal.accuracy;
  policy.fitted["certainty"] = goal.certainty;
  if (!per_class) {
    TRY(const auto fit, evaluate::fit_least_confidence(answers, goal));
    policy.least_confidence = {fit.least_confidence};
    return {};
  }
  TRY(const auto fits, evaluate::fit_least_confidences(answers, labels, goal));
  for (const auto& fit : fits) policy.least_confidence.push_back(fit.least_confidence);
  return {};
}

/// What it was trained on it answers too well to find a limit with. Another version of its data may split otherwise.
Result<void> check_unseen(const SplitAnswers& split, bool asked_for) {
  const bool held_out =
      split.split == data::Split::Test || (split.split == data::Split::Validation && split.dataset == split.trained_on);
  if (held_out) return {};
  const std::string why = fmt::format("{}:{} may be what {}:{} learned from ({})", split.dataset,
                                      data::to_string(split.split), split.version.model, split.version.version,
                                      split.trained_on.empty() ? "it does not say" : split.trained_on);
  if (!asked_for)
    return fail(ErrorCode::InvalidArgument, "{}: name images that it never saw with --data, as NAME:test", why);
  log::warning("{}: then the limits found on it are too low", why);
  return {};
}

std::string reason_of(const AbstentionRequest& request, const SplitAnswers& split) {
  std::string text;
  if (request.accuracy) {
    text = fmt::format("{:g} % accuracy of what is answered{}, ", 100.0 * *request.accuracy,
                       request.per_class ? " in each class" : "");
    if (request.certainty > 0.0) text += fmt::format("with {:g} % certainty, ", 100.0 * request.certainty);
  }
  if (request.keep) text += fmt::format("{:g} % kept by energy, ", 100.0 * *request.keep);
  text += fmt::format("found on {}:{}", split.dataset, data::to_string(split.split));
  return request.reason.empty() ? text : text + ": " + request.reason;
}

}  // namespace

Result<FittedAbstention> fit_abstention(Workspace& workspace, const AbstentionRequest& request,
                                        const OnProgress& on_progress) {
  TRY_VOID(check_request(request));
  TRY(auto split,
      answer_split(
          workspace, request.model, request.dataset, data::Split::Validation,
          [&](const SplitAnswers& found) { return check_unseen(found, !request.dataset.empty()); }, on_progress));
  model::AbstentionPolicy policy;
  policy.fitted = {{"data", fmt::format("{}:{}", split.dataset, data::to_string(split.split))},
                   {"images", split.answers.size()}};
  std::vector<evaluate::Answer> familiar = split.answers;
  if (request.keep) familiar = fit_energy(split, *request.keep, policy);
  if (request.accuracy) {
    TRY_VOID(fit_confidence(familiar, split.labels, {.accuracy = *request.accuracy, .certainty = request.certainty},
                            request.per_class, policy));
  }
  evaluate::judge(split.answers, split.logits, policy);
  FittedAbstention fitted;
  fitted.outcome = evaluate::abstention_outcome(split.answers, policy);
  const auto measured = evaluate::to_json(fitted.outcome);
  for (const char* key : {"coverage", "accuracy"}) policy.fitted[std::string("found_") + key] = measured[key];
  TRY(fitted.version, workspace.models().set_abstention(split.version, policy, reason_of(request, split)));
  return fitted;
}

void carry_abstention(Workspace& workspace, const registry::ModelVersion& before, const registry::ModelVersion& version,
                      const OnProgress& on_progress) {
  const model::AbstentionPolicy& policy = before.abstention;
  if (policy.empty()) return;
  const auto number = [&](const char* key) {
    const auto found = json::get<double>(policy.fitted, key);
    return found ? std::optional(*found) : std::nullopt;
  };
  const std::string name = fmt::format("{}:{}", version.model, version.version);
  AbstentionRequest request{.model = name, .dataset = {}, .accuracy = number("accuracy"), .keep = number("keep")};
  request.certainty = number("certainty").value_or(request.certainty);
  request.per_class = policy.least_confidence.size() > 1;
  request.reason = fmt::format("as for version {}", before.version);
  if (!request.accuracy && !request.keep) {
    log::warning("{} answers always: the limits of version {} were set by hand (`imago models threshold`)", name,
                 before.version);
    return;
  }
  if (const auto fitted = fit_abstention(workspace, request, on_progress); !fitted)
    log::warning("{} answers always, unlike version {}: {}", name, before.version, fitted.error().message);
}

}  // namespace imago::pipeline
