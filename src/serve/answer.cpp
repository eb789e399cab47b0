// SPDX-License-Identifier: Apache-2.0
#include "serve/answer.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "serve/json_writer.hpp"
#include "serve/parameters.hpp"

namespace imago::serve {
namespace {

enum Field : std::uint32_t {
  kFilename,
  kPrediction,
  kPredictedClass,
  kPredictedLabel,
  kClassIndex,
  kConfidence,
  kProbabilities,
  kClassProbabilities,
  kLatencySeconds,
  kPredictionTime,
  kTimestamp,
  kModel,
  kModelVersion,
  kRequestId,
  kAbstained,
  kAbstainedBecause,
  kEnergy,
  kProbabilityOfLabel,
};
constexpr std::array<std::string_view, 18> kAnswerFields{
    "filename",      "prediction",          "predicted_class", "predicted_label",   "class_index", "confidence",
    "probabilities", "class_probabilities", "latency_seconds", "prediction_time",   "timestamp",   "model",
    "model_version", "request_id",          "abstained",       "abstained_because", "energy",      "probability_*"};

Result<std::uint32_t> field_mask(std::string_view list) {
  std::uint32_t mask = 0;
  while (true) {
    const auto comma = list.find(',');
    const auto name = list.substr(0, comma);
    const auto known = name.starts_with("probability_") ? std::string_view("probability_*") : name;
    const auto found = std::ranges::find(kAnswerFields, known);
    if (found == kAnswerFields.end()) {
      return fail(ErrorCode::InvalidArgument, "fields names '{}': known are {}", name, fmt::join(kAnswerFields, ", "));
    }
    mask |= 1U << (found - kAnswerFields.begin());
    if (comma == std::string_view::npos) return mask;
    list.remove_prefix(comma + 1);
  }
}

std::string as_json(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

}  // namespace

Result<AnswerOptions> answer_options(const http::Request& request) {
  AnswerOptions options;
  if (request.query.empty()) return options;
  const auto prediction = request.parameter("prediction");
  if (!prediction.empty() && prediction != "index" && prediction != "label") {
    return fail(ErrorCode::InvalidArgument, "prediction is '{}': label and index are known", prediction);
  }
  options.prediction_as_index = prediction == "index";
  if (const auto fields = request.parameter("fields"); !fields.empty()) {
    TRY(options.fields, field_mask(fields));
    options.energy = (options.fields >> kEnergy & 1U) != 0;
  }
  if (const auto details = request.parameter("details"); !details.empty()) {
    if (details != "energy") return fail(ErrorCode::InvalidArgument, "details is '{}': energy is known", details);
    options.energy = true;
  }
  TRY(options.top, number_in_query(request, "top", 0, 1, kMostTop));
  return options;
}

AnswerOptions for_each_of_many(AnswerOptions options) {
  options.fields &= ~(1U << kModel | 1U << kModelVersion | 1U << kRequestId | 1U << kTimestamp);
  return options;
}

AnswerWriter::AnswerWriter(std::string_view model, int version, const std::vector<std::string>& labels)
    : by_(std::make_shared<const AnsweredBy>(AnsweredBy{std::string(model), version, labels})),
      model_(as_json(model)),
      version_(std::to_string(version)) {
  EXPECTS(labels.size() >= 2, "a model has two classes or more");
  for (const auto& label : labels) labels_.push_back(as_json(label));
  if (labels.size() != 2) return;
  binary_keys_.emplace_back("probability_" + labels[1], 1);
  if (labels[0] == "dog") binary_keys_.emplace_back("probability_dog", 0);
}

/// The likeliest first; of equals the first.
void AnswerWriter::append_likeliest(std::string& out, std::span<const double> probabilities, int k) const {
  std::vector<std::size_t> classes(labels_.size());
  std::iota(classes.begin(), classes.end(), std::size_t{0});
  std::ranges::stable_sort(classes, std::ranges::greater{}, [&](std::size_t i) { return probabilities[i]; });
  classes.resize(std::min(classes.size(), static_cast<std::size_t>(k)));
  out += '[';
  for (const std::size_t i : classes) {
    if (out.back() != '[') out += ',';
    JsonWriter json(out);
    json.begin();
    json.raw("label", labels_[i]);
    json.field("class_index", static_cast<int>(i));
    json.field("probability", static_cast<float>(probabilities[i]));
    json.end();
  }
  out += ']';
}

std::string AnswerWriter::write(const Prediction& prediction, const AnswerOptions& options) const {
  const auto& probabilities = prediction.probabilities;
  const auto index = static_cast<std::size_t>(prediction.class_index);
  EXPECTS(probabilities.size() == labels_.size() && index < labels_.size(), "a probability for each class");
  const std::string& label = labels_[index];

  std::string out;
  out.reserve(512 + 48 * labels_.size());
  JsonWriter json(out);
  const auto wanted = [&](Field field) { return (options.fields >> field & 1U) != 0; };
  const auto number = [&](double value) { append_json_number(out, static_cast<float>(value)); };

  json.begin();
  if (wanted(kFilename)) {
    if (prediction.filename) {
      json.field("filename", *prediction.filename);
    } else {
      json.raw("filename", "null");
    }
  }
  if (wanted(kPrediction)) {
    json.raw("prediction", options.prediction_as_index ? std::to_string(prediction.class_index) : label);
  }
  if (wanted(kPredictedClass)) json.raw("predicted_class", label);
  if (wanted(kPredictedLabel)) json.raw("predicted_label", label);
  if (wanted(kClassIndex)) json.field("class_index", prediction.class_index);
  if (wanted(kConfidence)) json.field("confidence", static_cast<float>(probabilities[index]));
  if (wanted(kProbabilities)) {
    json.key("probabilities") += '[';
    for (std::size_t i = 0; i < labels_.size(); ++i) {
      if (i > 0) out += ',';
      number(probabilities[i]);
    }
    out += ']';
  }
  if (wanted(kClassProbabilities)) {
    json.key("class_probabilities") += '{';
    for (std::size_t i = 0; i < labels_.size(); ++i) {
      if (i > 0) out += ',';
      out += labels_[i];
      out += ':';
      number(probabilities[i]);
    }
    out += '}';
  }
  if (options.top > 0) append_likeliest(json.key("top"), probabilities, options.top);
  if (wanted(kLatencySeconds)) json.field("latency_seconds", prediction.latency_seconds);
  if (wanted(kPredictionTime)) json.field("prediction_time", prediction.latency_seconds);
  if (wanted(kTimestamp)) json.field("timestamp", format_utc(prediction.time));
  if (wanted(kModel)) json.raw("model", model_);
  if (wanted(kModelVersion)) json.raw("model_version", version_);
  if (wanted(kRequestId)) json.field("request_id", prediction.request_id);
  if (wanted(kAbstained) && prediction.doubt) json.field("abstained", *prediction.doubt != model::Doubt::None);
  if (wanted(kAbstainedBecause) && prediction.doubt.value_or(model::Doubt::None) != model::Doubt::None)
    json.field("abstained_because", model::to_string(*prediction.doubt));
  if (options.energy) json.field("energy", prediction.energy);
  if (wanted(kProbabilityOfLabel)) {
    for (const auto& [key, i] : binary_keys_) json.field(key, static_cast<float>(probabilities[i]));
  }
  json.end();
  return out;
}

}  // namespace imago::serve
