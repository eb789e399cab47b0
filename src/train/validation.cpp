// SPDX-License-Identifier: Apache-2.0
#include "train/validation.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "train/loader.hpp"

namespace imago::train {
namespace {

/// Batches of about this many pixels: large enough to keep every core busy, small enough to stay in cache.
constexpr std::size_t kPixelsPerBatch = 256 * 32 * 32;

/// -log softmax(logits)[label].
double cross_entropy(std::span<const float> logits, int label) {
  const double largest = static_cast<double>(*std::ranges::max_element(logits));
  double sum = 0.0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - largest);
  return std::log(sum) + largest - static_cast<double>(logits[static_cast<std::size_t>(label)]);
}

}  // namespace

Result<Validation> validate(model::Classifier& classifier, const data::PackedSplit& split,
                            const image::Preprocess& preprocess, const Sharding& sharding) {
  const std::size_t pixels = static_cast<std::size_t>(split.width()) * static_cast<std::size_t>(split.height());
  const std::size_t batch = std::max<std::size_t>(1, kPixelsPerBatch / pixels);
  const auto rank = static_cast<std::size_t>(sharding.rank());
  const auto ranks = static_cast<std::size_t>(sharding.size());
  std::array<double, 2> sums{};
  auto& [loss, correct] = sums;
  for (std::size_t begin = rank * batch; begin < split.size(); begin += ranks * batch) {
    std::vector<std::size_t> indices(std::min(batch, split.size() - begin));
    std::iota(indices.begin(), indices.end(), begin);
    TRY(const auto logits, classifier.classify(load_images(split, preprocess, indices)));
    for (std::size_t i = 0; i < indices.size(); ++i) {
      const auto row = logits.row(static_cast<int>(i));
      loss += cross_entropy(row, split.label(indices[i]));
      if (model::argmax(row) == split.label(indices[i])) correct += 1.0;
    }
  }
  TRY_VOID(sharding.sum(sums));
  const auto n = static_cast<double>(split.size());
  return Validation{loss / n, correct / n};
}

}  // namespace imago::train
