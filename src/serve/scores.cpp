// SPDX-License-Identifier: Apache-2.0
#include "serve/scores.hpp"

#include <algorithm>
#include <cmath>

namespace imago::serve {

Result<Said> said_of(const ModelFace& face, std::span<const float> logits) {
  if (!std::ranges::all_of(logits, [](float x) { return std::isfinite(x); }))
    return fail(ErrorCode::Internal, "the network gave a score that is not finite");
  Said said{.probabilities = model::softmax(logits, face.spec.temperature),
            .class_index = model::argmax(logits),
            .energy = model::energy(logits)};
  said.doubt = face.abstention.judge(said.class_index, said.confidence(), said.energy);
  return said;
}

void count(const ModelFace& face, const Said& said, const monitor::PredictionTiming& timing) {
  face.metrics->count_prediction(said.class_index, timing);
  face.metrics->count_doubt(said.doubt);
}

Prediction prediction_of(const ModelFace& face, const Said& said, const monitor::PredictionTiming& timing) {
  return {.filename = {},
          .probabilities = said.probabilities,
          .class_index = said.class_index,
          .doubt = face.abstention.empty() ? std::nullopt : std::optional(said.doubt),
          .energy = said.energy,
          .latency_seconds = static_cast<double>(timing.total.count()) / 1e6,
          .time = system_clock().wall(),
          .request_id = {}};
}

monitor::Outcome outcome_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::Timeout: return monitor::Outcome::Deadline;
    case ErrorCode::ResourceExhausted: return monitor::Outcome::Displaced;
    default: return monitor::Outcome::Failed;
  }
}

}  // namespace imago::serve
