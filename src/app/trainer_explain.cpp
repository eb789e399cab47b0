// SPDX-License-Identifier: Apache-2.0
// Grad-CAM of one image by a model package: the job and event are in docs/formats/trainer.md.
#include "app/trainer_job.hpp"
#include "base/files.hpp"
#include "model/safetensors.hpp"
#include "nn/explain.hpp"
#include "package/package.hpp"

namespace imago::app {
namespace {

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

}  // namespace

Result<void> explain(const json::Value& job) {
  TRY(const auto folder, json::get<std::string>(job, "package"));
  TRY(const auto path, json::get<std::string>(job, "image"));
  std::optional<int> class_index;
  if (job.contains("class") && !job["class"].is_null()) {
    TRY(class_index, json::get<int>(job, "class"));
  }
  TRY(const auto package, package::open_package(folder));
  TRY(const auto weights, model::read_safetensors(package.weights_path()));
  TRY(const auto image, read_image(path, package.spec.preprocess));
  TRY(const auto explanation, nn::grad_cam(package.spec.graph, weights, image, class_index, package.spec.temperature));
  emit({{"event", "explanation"},
        {"class_index", explanation.class_index},
        {"predicted_index", explanation.predicted_index},
        {"probabilities", explanation.probabilities},
        {"layer", explanation.layer},
        {"method", "grad-cam"},
        {"heatmap", rows(explanation)}});
  return {};
}

}  // namespace imago::app
