// SPDX-License-Identifier: Apache-2.0
#include "evaluate/faithfulness.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <vector>

namespace imago::evaluate {
namespace {

/// A few at a time, so that images of 224 x 224 need little memory.
constexpr int kAtOnce = 3;
static_assert((kFaithfulnessSteps + 1) % kAtOnce == 0);

/// Positions of a plane, the most marked first.
Result<std::vector<std::size_t>> order_of(const image::Heatmap& heatmap, const image::ImageBatch& image) {
  TRY(const auto map, image::stretched(heatmap, image.width, image.height));
  std::vector<std::size_t> order(map.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater{}, [&](std::size_t i) { return map[i]; });
  return order;
}

/// What is said of one class of an image that becomes another.
class Morph {
 public:
  Morph(model::Classifier& classifier, std::size_t class_index, double temperature, std::vector<std::size_t> order)
      : classifier_(classifier), class_index_(class_index), temperature_(temperature), order_(std::move(order)) {}

  /// The area while `now` becomes `end`, step by step in the order.
  Result<double> area(image::ImageBatch now, const image::ImageBatch& end) {
    std::vector<double> curve;
    image::ImageBatch batch = now;
    batch.data.clear();
    std::size_t done = 0;
    for (std::size_t step = 0; step <= kFaithfulnessSteps; ++step) {
      for (const std::size_t until = order_.size() * step / kFaithfulnessSteps; done < until; ++done) {
        for (std::size_t i = order_[done]; i < now.data.size(); i += order_.size()) now.data[i] = end.data[i];
      }
      batch.data.insert(batch.data.end(), now.data.begin(), now.data.end());
      if (batch.data.size() == kAtOnce * now.data.size()) TRY_VOID(ask(batch, curve));
    }
    return area_under(curve);
  }

 private:
  /// Appends the answers and empties the batch.
  Result<void> ask(image::ImageBatch& batch, std::vector<double>& curve) {
    batch.n = kAtOnce;
    TRY(const auto logits, classifier_.classify(batch));
    for (int i = 0; i < logits.n; ++i) curve.push_back(model::softmax(logits.row(i), temperature_)[class_index_]);
    batch.data.clear();
    return {};
  }

  model::Classifier& classifier_;
  std::size_t class_index_;
  double temperature_;
  std::vector<std::size_t> order_;
};

}  // namespace

double area_under(std::span<const double> curve) {
  EXPECTS(curve.size() >= 2, "an area lies between two values");
  const double ends = (curve.front() + curve.back()) / 2.0;
  return std::accumulate(curve.begin() + 1, curve.end() - 1, ends) / static_cast<double>(curve.size() - 1);
}

Result<std::optional<Faithfulness>> measure_faithfulness(model::Classifier& classifier, const image::ImageBatch& image,
                                                         const image::Heatmap& heatmap, int class_index,
                                                         double temperature) {
  EXPECTS(image.n == 1 && image.data.size() == image.item_size(), "one image");
  if (class_index < 0 || class_index >= classifier.classes())
    return fail(ErrorCode::InvalidArgument, "class {}, but {} classes", class_index, classifier.classes());
  TRY(auto order, order_of(heatmap, image));
  if (std::ranges::none_of(heatmap.values, [](float value) { return value > 0.0F; }))
    return std::optional<Faithfulness>();
  image::ImageBatch removed = image;
  std::ranges::fill(removed.data, 0.0F);
  TRY(const auto blurred, image::blurred(image, std::max(image.width, image.height) / 8.0));
  Faithfulness areas;
  Morph morph(classifier, static_cast<std::size_t>(class_index), temperature, std::move(order));
  TRY(areas.deletion, morph.area(image, removed));
  TRY(areas.insertion, morph.area(blurred, image));
  return std::optional(areas);
}

}  // namespace imago::evaluate
