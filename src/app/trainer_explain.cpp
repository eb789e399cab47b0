// SPDX-License-Identifier: Apache-2.0
// Grad-CAM of images by a model package: the job and events are in docs/formats/trainer.md.
#include "app/trainer_job.hpp"
#include "base/files.hpp"
#include "evaluate/faithfulness.hpp"
#include "model/safetensors.hpp"
#include "nn/explain.hpp"
#include "nn/learner.hpp"
#include "package/package.hpp"

namespace imago::app {
namespace {

/// What is asked about one image.
struct Question {
  fs::path image;
  std::optional<int> class_index;
  bool scored = true;  ///< measure the map by deletion and insertion
};

Result<Question> question_from(const json::Value& value) {
  Question question;
  TRY(question.image, json::get<std::string>(value, "image"));
  TRY(question.scored, json::get_or<bool>(value, "scored", true));
  if (!value.contains("class") || value["class"].is_null()) return question;
  TRY(question.class_index, json::get<int>(value, "class"));
  return question;
}

/// A package's network, once for gradients and once for answers.
struct Subject {
  package::ModelPackage package;
  model::Weights weights;
  std::unique_ptr<nn::Learner> learner;
};

Result<Subject> open_subject(const fs::path& folder) {
  Subject subject;
  TRY(subject.package, package::open_package(folder));
  TRY(subject.weights, model::read_safetensors(subject.package.weights_path()));
  TRY(subject.learner, nn::make_learner(subject.package.spec.graph, {}));
  TRY_VOID(subject.learner->set_weights(subject.weights));
  return subject;
}

Result<image::ImageBatch> read_image(const fs::path& path, const image::Preprocess& preprocess) {
  TRY(const auto bytes, read_file(path, image::DecodeLimits{}.max_bytes));
  TRY(const auto resized, image::decode_and_resize(as_bytes(bytes), preprocess));
  image::ImageBatch batch{.n = 1, .channels = 3, .height = preprocess.height, .width = preprocess.width, .data = {}};
  batch.data.resize(batch.item_size());
  image::normalize(resized.rgb, preprocess, batch.item(0));
  return batch;
}

json::Value rows(const nn::Explanation& explanation) {
  json::Value rows = json::Value::array();
  const auto width = static_cast<std::size_t>(explanation.width);
  for (std::size_t y = 0; y < static_cast<std::size_t>(explanation.height); ++y) {
    const auto begin = explanation.heatmap.begin() + static_cast<std::ptrdiff_t>(y * width);
    rows.push_back(std::vector<float>(begin, begin + static_cast<std::ptrdiff_t>(width)));
  }
  return rows;
}

json::Value to_json(const std::optional<evaluate::Faithfulness>& areas) {
  if (!areas) return {};
  return {{"deletion", areas->deletion}, {"insertion", areas->insertion}};
}

Result<json::Value> answer(const Subject& subject, const Question& question) {
  const model::ModelSpec& spec = subject.package.spec;
  TRY(const auto image, read_image(question.image, spec.preprocess));
  TRY(const auto explanation, nn::grad_cam(spec.graph, subject.weights, image, question.class_index, spec.temperature));
  std::optional<evaluate::Faithfulness> areas;
  if (question.scored) {
    TRY(areas, evaluate::measure_faithfulness(*subject.learner, image,
                                              {explanation.width, explanation.height, explanation.heatmap},
                                              explanation.class_index, spec.temperature));
  }
  return json::Value{{"class_index", explanation.class_index},
                     {"predicted_index", explanation.predicted_index},
                     {"probabilities", explanation.probabilities},
                     {"layer", explanation.layer},
                     {"method", "grad-cam"},
                     {"heatmap", rows(explanation)},
                     {"faithfulness", to_json(areas)}};
}

}  // namespace

Result<void> explain(const json::Value& job) {
  TRY(const auto folder, json::get<std::string>(job, "package"));
  TRY(const auto asked, json::get<std::vector<json::Value>>(job, "images"));
  std::vector<Question> questions;
  for (const json::Value& one : asked) {
    TRY(auto question, question_from(one));
    questions.push_back(std::move(question));
  }
  TRY(const auto subject, open_subject(folder));
  json::Value answers = json::Value::array();
  for (const Question& question : questions) {
    TRY(auto one, answer(subject, question));
    answers.push_back(std::move(one));
    emit({{"event", "progress"}, {"done", answers.size()}, {"total", questions.size()}});
  }
  emit({{"event", "explanations"}, {"explanations", std::move(answers)}});
  return {};
}

}  // namespace imago::app
