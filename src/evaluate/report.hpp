// SPDX-License-Identifier: Apache-2.0
// All that was measured of one model on one split, for machines (JSON) and people (Markdown; the page is app's).
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "data/manifest.hpp"
#include "evaluate/metrics.hpp"
#include "evaluate/predictions.hpp"
#include "evaluate/ranking.hpp"
#include "evaluate/slices.hpp"
#include "json/json.hpp"

namespace imago::evaluate {

/// Wrong answers in a report's JSON and Markdown; the surest first.
inline constexpr std::size_t kWorstErrors = 50;

struct Report {
  std::string model;
  int version = 0;
  std::string digest;   ///< of the package
  std::string dataset;  ///< NAME@VERSION
  data::Split split = data::Split::Test;
  std::string via;          ///< "package", or the server's address
  std::string measured_at;  ///< RFC 3339
  data::Manifest manifest;
  double temperature = 1.0;

  Metrics metrics;
  std::vector<Answer> answers;  ///< in the split's order; Answer::entry is of `manifest`
  std::vector<Slice> slices;
  std::vector<ClassCurves> curves;
  std::optional<Latency> batches;  ///< none for a server
  std::optional<Latency> singles;
  json::Value views = json::Value::object();    ///< accuracy by views, where the package has some
  json::Value lineage = json::Value::object();  ///< the package's
  json::Value history = json::Value::array();   ///< one object an epoch of training; empty when unknown

  [[nodiscard]] std::string name() const;  ///< NAME:VERSION
  [[nodiscard]] const std::string& label(int index) const {
    return metrics.classes[static_cast<std::size_t>(index)].label;
  }
  [[nodiscard]] const data::Entry& entry(const Answer& answer) const { return manifest.entries[answer.entry]; }
};

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

/// One sentence on where the model is weakest; empty when nothing is to be said.
std::string weakness(const Report& report);

std::string to_markdown(const Report& report);

}  // namespace imago::evaluate
