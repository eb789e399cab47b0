// SPDX-License-Identifier: Apache-2.0
// All that was measured of one model on one split, for machines (JSON) and people (Markdown; the page is app's).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "data/manifest.hpp"
#include "evaluate/faithfulness.hpp"
#include "evaluate/metrics.hpp"
#include "evaluate/predictions.hpp"
#include "evaluate/ranking.hpp"
#include "evaluate/selective.hpp"
#include "evaluate/slices.hpp"
#include "json/json.hpp"

namespace imago::evaluate {

/// Wrong answers in a report's JSON and Markdown; the surest first.
inline constexpr std::size_t kWorstErrors = 50;

/// Where the network looked when it was wrong.
struct LookedAt {
  std::size_t answer = 0;                    ///< index into Report::answers
  image::Heatmap predicted, truth;           ///< Grad-CAM for what it said, and for what it should have said
  std::optional<Faithfulness> faithfulness;  ///< of `predicted`; none when that map is 0 everywhere
};

/// Means over those that have some; none without any.
std::optional<Faithfulness> mean_faithfulness(std::span<const LookedAt> looked_at);

struct Report {
  std::string model;
  int version = 0;
  std::string digest;   ///< of the package
  std::string dataset;  ///< NAME@VERSION
  data::Split split = data::Split::Test;
  std::string via;          ///< "package", "learner", or the server's address
  std::string note;         ///< what a reader should know first; may be empty
  std::string measured_at;  ///< RFC 3339
  data::Manifest manifest;
  image::Preprocess preprocess;  ///< the model's
  double temperature = 1.0;

  Metrics metrics;
  std::optional<Calibration> uncalibrated;      ///< as with temperature 1; none of a server, which gives probabilities
  Coverage coverage{};                          ///< what can be answered at which accuracy
  std::optional<AbstentionOutcome> abstention;  ///< where the version has a policy
  std::vector<Answer> answers;                  ///< in the split's order; Answer::entry is of `manifest`
  std::vector<Slice> slices;
  std::vector<ClassCurves> curves;
  std::vector<LookedAt> looked_at;  ///< the worst errors, in their order; empty: nobody asked
  std::string not_looked_at;        ///< why nothing could be explained, if it could not
  std::optional<Latency> batches;   ///< none for a server
  std::optional<Latency> singles;
  json::Value views = json::Value::object();    ///< accuracy by views, where the package has some
  json::Value lineage = json::Value::object();  ///< the package's
  json::Value history = json::Value::array();   ///< one object an epoch of training; empty when unknown

  [[nodiscard]] std::string name() const;     ///< NAME:VERSION
  [[nodiscard]] std::string through() const;  ///< "the package", "the learner", "the server at URL"
  [[nodiscard]] const std::string& label(int index) const {
    return metrics.classes[static_cast<std::size_t>(index)].label;
  }
  [[nodiscard]] const data::Entry& entry(const Answer& answer) const { return manifest.entries[answer.entry]; }
};

/// Where it looked for that answer, an index into Report::answers; null when nobody asked.
const LookedAt* looked_at(const Report& report, std::size_t answer);

/// The metrics' members, and beside them model, version, dataset, split: what stays the same when it is measured again,
/// for tools that keep and compare such files.
json::Value metrics_json(const Report& report);

/// The same and all the rest: via, time, latency, slices, worst errors, lineage.
json::Value to_json(const Report& report);

/// One JSON object a line and image, in the split's order: path, truth, prediction, confidence, probabilities.
/// @param logits a row an answer.
std::string predictions_jsonl(const Report& report, const model::Logits& logits);

/// The figures as name and text, in the order in which people read them; what is not defined left out.
std::vector<std::pair<std::string, std::string>> figures(const Report& report);

/// What scaling did for the confidence, how much can be answered at which accuracy, and what the policy makes of it: as
/// in `figures`, a line each.
std::string confidence_in_words(const Report& report);

/// One sentence on where the model is weakest; empty when nothing is to be said.
std::string weakness(const Report& report);

std::string to_markdown(const Report& report);

}  // namespace imago::evaluate
