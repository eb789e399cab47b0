// SPDX-License-Identifier: Apache-2.0
#include "evaluate/report.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

namespace imago::evaluate {
namespace {

/// Of more classes a line of predictions.jsonl has the likeliest alone: it would be longer than the image.
constexpr std::size_t kMostProbabilities = 100;
constexpr std::size_t kLikeliest = 10;

json::Value to_json(const std::optional<Faithfulness>& areas) {
  if (!areas) return {};
  return {{"deletion", areas->deletion}, {"insertion", areas->insertion}};
}

json::Value error_json(const Report& report, std::size_t index) {
  const Answer& answer = report.answers[index];
  const LookedAt* looked = looked_at(report, index);
  return {{"path", report.entry(answer).path},
          {"truth", report.label(answer.truth)},
          {"prediction", report.label(answer.predicted)},
          {"confidence", answer.confidence},
          {"truth_probability", answer.truth_probability},
          {"faithfulness", to_json(looked == nullptr ? std::nullopt : looked->faithfulness)}};
}

json::Value probabilities_json(const Report& report, const std::vector<double>& probabilities) {
  if (probabilities.size() <= kMostProbabilities) return {{"probabilities", probabilities}};
  std::vector<std::size_t> order(probabilities.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::partial_sort(order, order.begin() + kLikeliest, std::greater<>(),
                            [&](std::size_t i) { return probabilities[i]; });
  json::Value likeliest = json::Value::object();
  for (std::size_t k = 0; k < kLikeliest; ++k)
    likeliest[report.label(static_cast<int>(order[k]))] = probabilities[order[k]];
  return {{"likeliest", std::move(likeliest)}};
}

}  // namespace

std::optional<Faithfulness> mean_faithfulness(std::span<const LookedAt> looked_at) {
  Faithfulness sum;
  double n = 0.0;
  for (const LookedAt& one : looked_at) {
    if (!one.faithfulness) continue;
    sum.deletion += one.faithfulness->deletion;
    sum.insertion += one.faithfulness->insertion;
    n += 1.0;
  }
  if (n == 0.0) return std::nullopt;
  return Faithfulness{sum.deletion / n, sum.insertion / n};
}

const LookedAt* looked_at(const Report& report, std::size_t answer) {
  const auto found = std::ranges::find(report.looked_at, answer, &LookedAt::answer);
  return found == report.looked_at.end() ? nullptr : &*found;
}

std::string Report::name() const { return fmt::format("{}:{}", model, version); }

std::string Report::through() const {
  return via == "package" || via == "learner" ? "the " + via : "the server at " + via;
}

json::Value metrics_json(const Report& report) {
  json::Value value = to_json(report.metrics);
  value["model"] = report.model;
  value["version"] = report.version;
  value["dataset"] = report.dataset;
  value["split"] = data::to_string(report.split);
  if (!report.views.empty()) value["accuracy_by_views"] = report.views;
  if (report.uncalibrated)
    value["uncalibrated"] = {{"expected_error", report.uncalibrated->expected_error},
                             {"largest_error", report.uncalibrated->largest_error},
                             {"mean_confidence", report.uncalibrated->mean_confidence}};
  if (report.coverage.n > 0) value["coverage"] = to_json(report.coverage);
  if (report.abstention) value["abstention"] = to_json(*report.abstention);
  return value;
}

json::Value to_json(const Report& report) {
  json::Value value = metrics_json(report);
  value["digest"] = report.digest;
  value["via"] = report.via;
  value["measured_at"] = report.measured_at;
  value["temperature"] = report.temperature;
  value["latency"] = {{"batches", report.batches ? to_json(*report.batches) : json::Value()},
                      {"single_images", report.singles ? to_json(*report.singles) : json::Value()}};
  if (report.coverage.n > 0) value["coverage"]["curve"] = curve_json(report.coverage);
  value["slices"] = to_json(report.slices);
  if (!report.note.empty()) value["note"] = report.note;
  value["explanations"] = {{"method", "grad-cam"},
                           {"images", report.looked_at.size()},
                           {"mean_faithfulness", to_json(mean_faithfulness(report.looked_at))}};
  if (!report.not_looked_at.empty()) value["explanations"]["error"] = report.not_looked_at;
  value["worst_errors"] = json::Value::array();
  for (const std::size_t i : worst_errors(report.answers, kWorstErrors))
    value["worst_errors"].push_back(error_json(report, i));
  value["lineage"] = report.lineage;
  return value;
}

std::string predictions_jsonl(const Report& report, const model::Logits& logits) {
  EXPECTS(report.answers.size() == static_cast<std::size_t>(logits.n), "a row an answer");
  std::string out;
  for (std::size_t i = 0; i < report.answers.size(); ++i) {
    const Answer& answer = report.answers[i];
    json::Value line{{"path", report.entry(answer).path},
                     {"truth", report.label(answer.truth)},
                     {"prediction", report.label(answer.predicted)},
                     {"confidence", answer.confidence}};
    if (report.uncalibrated) line["energy"] = model::energy(logits.row(static_cast<int>(i)));
    if (report.abstention) {
      line["abstained"] = answer.doubt != model::Doubt::None;
      if (answer.doubt != model::Doubt::None) line["abstained_because"] = model::to_string(answer.doubt);
    }
    line.update(probabilities_json(report, model::softmax(logits.row(static_cast<int>(i)), report.temperature)));
    out += json::dump(line);
    out += '\n';
  }
  return out;
}

}  // namespace imago::evaluate
