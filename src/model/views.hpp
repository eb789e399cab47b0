// SPDX-License-Identifier: Apache-2.0
// Looking at an image several times: the logits of a mirrored and slightly moved copy often differ, and their mean is
// right more often (test-time augmentation). Evaluation and serving share these functions.
#pragma once

#include <functional>
#include <string_view>

#include "base/error.hpp"
#include "model/classifier.hpp"

namespace imago::model {

enum class Views {
  None,   ///< the image as it is
  Flip,   ///< and its mirror image, the mean of 2
  Multi,  ///< half of Flip, half the mean of Flip of the image moved by one pixel down and right, and up and left: 6
};

std::string_view to_string(Views views) noexcept;  ///< "none", "flip", "multi"
Result<Views> views_from(std::string_view name);

using Classify = std::function<Result<Logits>(const image::ImageBatch&)>;

/// The weighted mean of the logits of `batch`'s views. Costs as many calls of `classify` as there are views.
/// Source: Jordan, cifar10-airbench, infer with tta_level 1 and 2.
Result<Logits> mean_over_views(const image::ImageBatch& batch, Views views, const Classify& classify);

/// Mirrored left to right.
image::ImageBatch mirrored(const image::ImageBatch& batch);

/// Moved down and right by so many pixels (less than width and height); what comes in is reflected about the border
/// pixel, as torch's F.pad(mode="reflect") does.
image::ImageBatch moved(const image::ImageBatch& batch, int down, int right);

/// A classifier that always looks at `views` of what it is given.
class ManyViews final : public Classifier {
 public:
  /// @param inner must outlive this.
  ManyViews(Classifier& inner, Views views) : inner_(inner), views_(views) {}
  [[nodiscard]] int classes() const override { return inner_.classes(); }
  Result<Logits> classify(const image::ImageBatch& batch) override;

 private:
  Classifier& inner_;
  Views views_;
};

}  // namespace imago::model
