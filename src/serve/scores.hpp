// SPDX-License-Identifier: Apache-2.0
// What a model says of an image, made from the scores that its network gave.
#pragma once

#include <span>
#include <vector>

#include "base/error.hpp"
#include "serve/live_model.hpp"

namespace imago::serve {

struct Said {
  std::vector<double> probabilities;  ///< calibrated, in class order
  int class_index = 0;
  double energy = 0.0;
  model::Doubt doubt = model::Doubt::None;

  [[nodiscard]] double confidence() const { return probabilities[static_cast<std::size_t>(class_index)]; }
};

/// Internal when a score is not finite.
Result<Said> said_of(const ModelFace& face, std::span<const float> logits);

/// Counts it in the model's metrics.
void count(const ModelFace& face, const Said& said, const monitor::PredictionTiming& timing);

/// What AnswerWriter takes; looks into `said`. The file's name and the request's id are the caller's to add.
Prediction prediction_of(const ModelFace& face, const Said& said, const monitor::PredictionTiming& timing);

/// How a request ends whose image, accepted, was not computed.
monitor::Outcome outcome_of(ErrorCode code);

}  // namespace imago::serve
