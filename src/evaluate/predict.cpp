// SPDX-License-Identifier: Apache-2.0
// A classifier over a whole split, batch by batch.
#include <algorithm>

#include "evaluate/metrics.hpp"
#include "image/preprocess.hpp"

namespace imago::evaluate {
namespace {

constexpr std::size_t kBatch = 256;

image::ImageBatch make_batch(const data::PackedSplit& split, const image::Preprocess& preprocess, std::size_t begin,
                             std::size_t end) {
  image::ImageBatch batch{static_cast<int>(end - begin), 3, preprocess.height, preprocess.width, {}};
  batch.data.resize((end - begin) * batch.item_size());
  for (std::size_t i = begin; i < end; ++i)
    image::normalize(split.image(i), preprocess, batch.item(static_cast<int>(i - begin)));
  return batch;
}

}  // namespace

Result<model::Logits> predict_split(model::Classifier& classifier, const data::PackedSplit& split,
                                    const image::Preprocess& preprocess,
                                    const std::function<void(std::size_t, std::size_t)>& on_progress) {
  if (split.width() != preprocess.width || split.height() != preprocess.height)
    return fail(ErrorCode::InvalidArgument, "the split holds {} x {} images, the model takes {} x {}", split.width(),
                split.height(), preprocess.width, preprocess.height);
  model::Logits all{0, classifier.classes(), {}};
  all.data.reserve(split.size() * static_cast<std::size_t>(all.classes));
  for (std::size_t begin = 0; begin < split.size(); begin += kBatch) {
    const std::size_t end = std::min(split.size(), begin + kBatch);
    const auto batch = make_batch(split, preprocess, begin, end);
    TRY(const auto logits, classifier.classify(batch));
    if (logits.n != batch.n || logits.classes != all.classes)
      return fail(ErrorCode::Internal, "the classifier answered [{}, {}] to {} images of {} classes", logits.n,
                  logits.classes, batch.n, all.classes);
    all.data.insert(all.data.end(), logits.data.begin(), logits.data.end());
    all.n += logits.n;
    if (on_progress) on_progress(end, split.size());
  }
  return all;
}

}  // namespace imago::evaluate
