// SPDX-License-Identifier: Apache-2.0
#include "serve/explainer.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "base/files.hpp"
#include "image/decode.hpp"
#include "image/encode.hpp"
#include "jobs/task.hpp"

namespace imago::serve {
namespace {

constexpr std::size_t kLabelsShown = 20;

/// The one event that imago-trainer explain ends with.
Result<json::Value> run_trainer(const Explainer& explainer, const json::Value& job) {
  return jobs::run_task({.program = explainer.trainer,
                         .name = "explain",
                         .purpose = "an explanation",
                         .input = job,
                         .niceness = 5,
                         .timeout = explainer.timeout,
                         .should_stop = explainer.should_stop,
                         .on_progress = explainer.on_progress});
}

/// Resized here and written without loss: the trainer sees exactly what a prediction sees.
Result<json::Value> written(const Question& question, const image::Preprocess& preprocess, const fs::path& path) {
  TRY(const auto resized, image::resize(question.pixels, preprocess));
  TRY(const auto png, image::encode_png(resized));
  TRY_VOID(write_file(path, png));
  return json::Value{{"image", path.string()},
                     {"class", question.class_index ? json::Value(*question.class_index) : json::Value()},
                     {"scored", question.scored}};
}

Result<std::optional<evaluate::Faithfulness>> read_faithfulness(const json::Value& answer) {
  const auto found = answer.find("faithfulness");
  if (found == answer.end() || found->is_null()) return std::optional<evaluate::Faithfulness>();
  evaluate::Faithfulness areas;
  TRY(areas.deletion, json::get<double>(*found, "deletion"));
  TRY(areas.insertion, json::get<double>(*found, "insertion"));
  return std::optional(areas);
}

Result<Explanation> read_answer(const json::Value& answer, int classes) {
  Explanation explanation;
  TRY(explanation.class_index, json::get<int>(answer, "class_index"));
  TRY(explanation.predicted_index, json::get<int>(answer, "predicted_index"));
  TRY(explanation.probabilities, json::get<std::vector<double>>(answer, "probabilities"));
  const auto known = [classes](int index) { return index >= 0 && index < classes; };
  if (explanation.probabilities.size() != static_cast<std::size_t>(classes) || !known(explanation.class_index) ||
      !known(explanation.predicted_index))
    return fail(ErrorCode::Internal, "imago-trainer explained {} classes, the model has {}",
                explanation.probabilities.size(), classes);
  TRY(explanation.layer, json::get<std::string>(answer, "layer"));
  TRY(explanation.method, json::get<std::string>(answer, "method"));
  TRY(explanation.faithfulness, read_faithfulness(answer));
  TRY(const auto rows, json::get<std::vector<json::Value>>(answer, "heatmap"));
  image::Heatmap& heatmap = explanation.heatmap;
  heatmap.height = static_cast<int>(rows.size());
  heatmap.width = rows.empty() ? 0 : static_cast<int>(rows.front().size());
  for (const json::Value& row : rows) {
    for (const json::Value& value : row) heatmap.values.push_back(value.is_number() ? value.get<float>() : -1.0F);
  }
  return explanation;  // what is no heat map is refused where it is drawn
}

}  // namespace

json::Value to_json(const Explanation& explanation, const std::vector<std::string>& labels) {
  const auto explained = static_cast<std::size_t>(explanation.class_index);
  json::Value probabilities = json::Value::object();
  for (std::size_t i = 0; i < labels.size(); ++i) probabilities[labels[i]] = explanation.probabilities[i];
  json::Value rows = json::Value::array();
  const auto& [width, height, values] = explanation.heatmap;
  for (int y = 0; y < height; ++y) {
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(y) * width;
    rows.push_back(std::vector<float>(begin, begin + width));
  }
  json::Value value{{"predicted_class", labels[static_cast<std::size_t>(explanation.predicted_index)]},
                    {"class", labels[explained]},
                    {"class_index", explanation.class_index},
                    {"confidence", explanation.probabilities[explained]},
                    {"class_probabilities", std::move(probabilities)},
                    {"layer", explanation.layer},
                    {"method", explanation.method},
                    {"heatmap", std::move(rows)},
                    {"faithfulness", nullptr}};
  if (const auto& areas = explanation.faithfulness)
    value["faithfulness"] = {{"deletion", areas->deletion}, {"insertion", areas->insertion}};
  return value;
}

Result<std::vector<Explanation>> explain(const Explainer& explainer, const model::ModelSpec& spec,
                                         std::span<const Question> questions) {
  std::error_code error;
  TRY(const auto folder, TemporaryDirectory::create(fs::temp_directory_path(error), "imago-explain"));
  json::Value images = json::Value::array();
  for (const Question& question : questions) {
    TRY(auto one, written(question, spec.preprocess, folder.path() / fmt::format("{}.png", images.size())));
    images.push_back(std::move(one));
  }
  TRY(const auto event,
      run_trainer(explainer, {{"package", explainer.package.string()}, {"images", std::move(images)}}));
  TRY(const auto answers, json::get<std::vector<json::Value>>(event, "explanations"));
  if (answers.size() != questions.size())
    return fail(ErrorCode::Internal, "imago-trainer answered {} of {} questions", answers.size(), questions.size());
  std::vector<Explanation> explanations;
  for (const json::Value& answer : answers) {
    TRY(auto explanation, read_answer(answer, spec.classes()));
    explanations.push_back(std::move(explanation));
  }
  return explanations;
}

Result<Explanation> explain(const Explainer& explainer, const model::ModelSpec& spec, const image::Image& pixels,
                            const image::Image& shown, std::optional<int> class_index) {
  const Question question{.pixels = pixels, .class_index = class_index};
  TRY(auto explanations, explain(explainer, spec, std::span(&question, 1)));
  Explanation& explanation = explanations.front();
  TRY(const auto drawn, image::overlay(image::visible_part(shown, spec.preprocess), explanation.heatmap));
  TRY(explanation.overlay_png, image::encode_png(drawn));
  return std::move(explanation);
}

Result<Explanation> explain(const Explainer& explainer, const model::ModelSpec& spec, Bytes encoded,
                            std::optional<int> class_index) {
  TRY(const auto pixels, image::decode_for(spec.preprocess, encoded));
  TRY(const auto shown, image::decode_for_display(encoded));
  return explain(explainer, spec, pixels, shown, class_index);
}

Result<std::optional<int>> class_from(const model::ModelSpec& spec, std::string_view text) {
  if (text.empty()) return std::optional<int>();
  const auto alias = spec.aliases.find(std::string(text));
  const auto found = std::ranges::find(spec.labels, alias == spec.aliases.end() ? text : alias->second);
  if (found != spec.labels.end()) return std::optional(static_cast<int>(found - spec.labels.begin()));
  int index = -1;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), index).ptr;
  if (end == text.data() + text.size() && index >= 0 && index < spec.classes()) return std::optional(index);
  const auto shown = std::span(spec.labels).first(std::min(kLabelsShown, spec.labels.size()));
  return fail(ErrorCode::InvalidArgument, "class '{}' is no label and no index below {}; labels: {}{}", text,
              spec.classes(), fmt::join(shown, ", "), shown.size() < spec.labels.size() ? ", ..." : "");
}

}  // namespace imago::serve
