// SPDX-License-Identifier: Apache-2.0
// When a registered version had better say that it does not know: limits found on a split, or set by hand.
#pragma once

#include <optional>
#include <string>

#include "base/error.hpp"
#include "evaluate/selective.hpp"
#include "model/abstention.hpp"
#include "pipeline/evaluate_model.hpp"
#include "pipeline/workspace.hpp"

namespace imago::pipeline {

struct AbstentionRequest {
  std::string model;               ///< as Registry::resolve takes it
  std::string dataset;             ///< as in EvaluationRequest; the validation split unless named
  std::optional<double> accuracy;  ///< of what is answered: finds the least confidence
  double certainty = evaluate::SelectiveGoal{}.certainty;
  bool per_class = false;      ///< a least confidence for each class that is said
  std::optional<double> keep;  ///< share of the split that is familiar: finds the most energy
  std::string reason;          ///< kept in the history
};

struct FittedAbstention {
  registry::ModelVersion version;       ///< with its new policy
  evaluate::AbstentionOutcome outcome;  ///< on the split that it was found on
};

/// Finds the limits and sets them as the version's policy. The energy's comes first, and the confidence's is found
/// among the images that it keeps. Errors as answer_split and evaluate::fit_least_confidence; InvalidArgument when no
/// data set is named and the validation split here is not the one that the model was trained beside.
Result<FittedAbstention> fit_abstention(Workspace& workspace, const AbstentionRequest& request,
                                        const OnProgress& on_progress);

/// For a version that takes the place of `before`: finds limits of its own for what those of `before` were found for.
/// What cannot be carried over (limits set by hand, or an accuracy that the new one does not reach) is logged: then it
/// answers always.
void carry_abstention(Workspace& workspace, const registry::ModelVersion& before, const registry::ModelVersion& version,
                      const OnProgress& on_progress);

}  // namespace imago::pipeline
