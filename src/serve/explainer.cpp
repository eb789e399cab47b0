// SPDX-License-Identifier: Apache-2.0
#include "serve/explainer.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "base/files.hpp"
#include "image/decode.hpp"
#include "image/encode.hpp"
#include "jobs/task.hpp"
#include "json/json.hpp"

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
                         .should_stop = explainer.should_stop});
}

Result<Explanation> read_event(const json::Value& event, int classes) {
  Explanation explanation;
  TRY(explanation.class_index, json::get<int>(event, "class_index"));
  TRY(explanation.predicted_index, json::get<int>(event, "predicted_index"));
  TRY(explanation.probabilities, json::get<std::vector<double>>(event, "probabilities"));
  const auto known = [classes](int index) { return index >= 0 && index < classes; };
  if (explanation.probabilities.size() != static_cast<std::size_t>(classes) || !known(explanation.class_index) ||
      !known(explanation.predicted_index))
    return fail(ErrorCode::Internal, "imago-trainer explained {} classes, the model has {}",
                explanation.probabilities.size(), classes);
  TRY(explanation.layer, json::get<std::string>(event, "layer"));
  TRY(explanation.method, json::get<std::string>(event, "method"));
  TRY(const auto rows, json::get<std::vector<json::Value>>(event, "heatmap"));
  image::Heatmap& heatmap = explanation.heatmap;
  heatmap.height = static_cast<int>(rows.size());
  heatmap.width = rows.empty() ? 0 : static_cast<int>(rows.front().size());
  for (const json::Value& row : rows) {
    for (const json::Value& value : row) heatmap.values.push_back(value.is_number() ? value.get<float>() : -1.0F);
  }
  return explanation;  // what is no heat map is refused where it is drawn
}

}  // namespace

Result<Explanation> explain(const Explainer& explainer, const model::ModelSpec& spec, const image::Image& pixels,
                            const image::Image& shown, std::optional<int> class_index) {
  std::error_code error;
  TRY(const auto folder, TemporaryDirectory::create(fs::temp_directory_path(error), "imago-explain"));
  const auto path = folder.path() / "image.png";
  // Resized here and written without loss: the trainer sees exactly what a prediction sees.
  TRY(const auto resized, image::resize(pixels, spec.preprocess));
  TRY(const auto png, image::encode_png(resized));
  TRY_VOID(write_file(path, png));
  const json::Value job{{"package", explainer.package.string()},
                        {"image", path.string()},
                        {"class", class_index ? json::Value(*class_index) : json::Value()}};
  TRY(const auto event, run_trainer(explainer, job));
  TRY(auto explanation, read_event(event, spec.classes()));
  TRY(const auto drawn, image::overlay(image::visible_part(shown, spec.preprocess), explanation.heatmap));
  TRY(explanation.overlay_png, image::encode_png(drawn));
  return explanation;
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
