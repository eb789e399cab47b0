// SPDX-License-Identifier: Apache-2.0
#include "evaluate/faithfulness.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

namespace imago::evaluate {
namespace {

/// Positions of a plane, the most marked first.
Result<std::vector<std::size_t>> order_of(const image::Heatmap& heatmap, const image::ImageBatch& image) {
  TRY(const auto map, image::stretched(heatmap, image.width, image.height));
  std::vector<std::size_t> order(map.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater{}, [&](std::size_t i) { return map[i]; });
  return order;
}

/// Step by step, in `order`, from `start` to `end`, both one image.
image::ImageBatch morphed(const image::ImageBatch& start, const image::ImageBatch& end,
                          const std::vector<std::size_t>& order) {
  image::ImageBatch steps = start;
  steps.n = kFaithfulnessSteps + 1;
  steps.data.clear();
  std::vector<float> now = start.data;
  std::size_t done = 0;
  for (std::size_t step = 0; step <= kFaithfulnessSteps; ++step) {
    for (const std::size_t until = order.size() * step / kFaithfulnessSteps; done < until; ++done) {
      for (std::size_t i = order[done]; i < now.size(); i += order.size()) now[i] = end.data[i];
    }
    steps.data.insert(steps.data.end(), now.begin(), now.end());
  }
  return steps;
}

Result<double> area_of(model::Classifier& classifier, const image::ImageBatch& steps, std::size_t class_index,
                       double temperature) {
  TRY(const auto logits, classifier.classify(steps));
  std::vector<double> curve;
  for (int i = 0; i < logits.n; ++i) curve.push_back(model::softmax(logits.row(i), temperature)[class_index]);
  return area_under(curve);
}

}  // namespace

double area_under(std::span<const double> curve) {
  EXPECTS(curve.size() >= 2, "an area lies between two values");
  const double ends = (curve.front() + curve.back()) / 2.0;
  return (std::accumulate(curve.begin() + 1, curve.end() - 1, ends)) / static_cast<double>(curve.size() - 1);
}

Result<std::optional<Faithfulness>> measure_faithfulness(model::Classifier& classifier, const image::ImageBatch& image,
                                                         const image::Heatmap& heatmap, int class_index,
                                                         double temperature) {
  EXPECTS(image.n == 1 && image.data.size() == image.item_size(), "one image");
  if (class_index < 0 || class_index >= classifier.classes())
    return fail(ErrorCode::InvalidArgument, "class {}, but {} classes", class_index, classifier.classes());
  TRY(const auto order, order_of(heatmap, image));
  if (std::ranges::none_of(heatmap.values, [](float value) { return value > 0.0F; }))
    return std::optional<Faithfulness>();
  image::ImageBatch removed = image;
  std::ranges::fill(removed.data, 0.0F);
  TRY(const auto blurred, image::blurred(image, std::max(image.width, image.height) / 8.0));
  Faithfulness areas;
  const auto k = static_cast<std::size_t>(class_index);
  TRY(areas.deletion, area_of(classifier, morphed(image, removed, order), k, temperature));
  TRY(areas.insertion, area_of(classifier, morphed(blurred, image, order), k, temperature));
  return std::optional(areas);
}

}  // namespace imago::evaluate
