// SPDX-License-Identifier: Apache-2.0
// What the learner answers for a whole split: the job and events are in docs/formats/trainer.md.
#include <algorithm>

#include "app/trainer_job.hpp"
#include "base/files.hpp"
#include "base/npy.hpp"
#include "data/packed.hpp"
#include "evaluate/predictions.hpp"
#include "model/safetensors.hpp"
#include "model/views.hpp"
#include "nn/learner.hpp"
#include "package/package.hpp"

namespace imago::app {
namespace {

/// A batch in parts of so many pixels: a layer of MobileNetV2 makes 5 MB of each image of 224 x 224.
class InParts final : public model::Classifier {
 public:
  explicit InParts(model::Classifier& inner) : inner_(inner) {}
  [[nodiscard]] int classes() const override { return inner_.classes(); }

  Result<model::Logits> classify(const image::ImageBatch& batch) override {
    model::Logits all{.n = 0, .classes = classes(), .data = {}};
    image::ImageBatch part = batch;
    const int most = std::max(1, kPixelsAtOnce / (batch.width * batch.height));
    for (int begin = 0; begin < batch.n; begin += most) {
      part.n = std::min(most, batch.n - begin);
      const auto first =
          batch.data.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(begin) * batch.item_size());
      part.data.assign(first,
                       first + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(part.n) * batch.item_size()));
      TRY(const auto logits, inner_.classify(part));
      all.n += logits.n;
      all.data.insert(all.data.end(), logits.data.begin(), logits.data.end());
    }
    return all;
  }

 private:
  static constexpr int kPixelsAtOnce = 256 * 32 * 32;
  model::Classifier& inner_;
};

Result<data::PackedSplit> open_split(const json::Value& job, const image::Preprocess& preprocess) {
  TRY(const auto datasets, json::get<std::string>(job, "datasets"));
  TRY(const auto dataset, json::get<std::string>(job, "dataset"));
  TRY(const auto split, json::get<std::string>(job, "split").and_then(data::split_from));
  const data::Repository repository(datasets);
  TRY(const auto manifest, repository.load(dataset));
  return data::open_packed(repository, manifest, split, preprocess, {});
}

Result<void> write_logits(const fs::path& path, const model::Logits& logits) {
  std::string bytes = npy_header("<f4", {logits.n, logits.classes});
  bytes.append(reinterpret_cast<const char*>(logits.data.data()), logits.data.size() * sizeof(float));
  return write_file(path, bytes);
}

}  // namespace

Result<void> classify(const json::Value& job) {
  TRY(const auto folder, json::get<std::string>(job, "package"));
  TRY(const auto logits_path, json::get<std::string>(job, "logits"));
  TRY(const auto timed, json::get_or<std::uint64_t>(job, "timed_images", 0));
  TRY(const auto package, package::open_package(folder));
  const model::ModelSpec& spec = package.spec;
  TRY(const auto split, open_split(job, spec.preprocess));
  TRY(const auto weights, model::read_safetensors(package.weights_path()));
  TRY(const auto learner, nn::make_learner(spec.graph, {}));
  TRY_VOID(learner->set_weights(weights));
  InParts in_parts(*learner);
  model::ManyViews as_served(in_parts, spec.views);
  evaluate::Stopwatch stopwatch(as_served);
  TRY(const auto logits,
      evaluate::predict_split(stopwatch, split, spec.preprocess, [](std::size_t done, std::size_t total) {
        emit({{"event", "progress"}, {"done", done}, {"total", total}});
      }));
  TRY_VOID(write_logits(logits_path, logits));
  json::Value answers{{"event", "answers"}, {"batches", evaluate::to_json(stopwatch.latency())}};
  if (timed > 0) {
    TRY(const auto singles, evaluate::time_single_images(as_served, split, spec.preprocess, timed));
    answers["single_images"] = evaluate::to_json(singles);
  }
  emit(answers);
  return {};
}

}  // namespace imago::app
