// SPDX-License-Identifier: Apache-2.0
// Whether a heat map is true of the model it explains: what the model says when the places it marks go, or come.
#pragma once

#include <optional>
#include <span>

#include "base/error.hpp"
#include "image/heatmap.hpp"
#include "image/image.hpp"
#include "model/classifier.hpp"

namespace imago::evaluate {

/// Areas under a class's probability over the share of pixels, 0 to 1, that were taken in the order of a heat map.
struct Faithfulness {
  double deletion = 0.0;   ///< while they are removed: small when the map is right
  double insertion = 0.0;  ///< while they are put in: large when the map is right
};

/// Points of each curve beside the one at which nothing has been done.
inline constexpr int kFaithfulnessSteps = 20;

/// By the trapezoidal rule; the values lie at equal distances over [0, 1]. EXPECTS two values.
double area_under(std::span<const double> curve);

/// Pixels are taken from the largest value of the map, stretched over the image bilinearly, to the smallest; of equal
/// ones the first row's first. Removed ones become 0, which after preprocessing is the mean colour (black where the
/// model has none). Insertion starts from the image blurred by a Gaussian of an eighth of its longer side: a picture
/// without detail, but also without edges where pixels come in that the model could take for something. Costs two
/// times kFaithfulnessSteps + 1 answers of the classifier.
///
/// None when the map is 0 everywhere: it has no order.
///
/// @param image one, preprocessed. @error InvalidArgument for a map or class that is none; errors of the classifier.
/// Source: Petsiuk, Das, Saenko, "RISE: Randomized Input Sampling for Explanation of Black-box Models", BMVC 2018,
/// section 4.1; its blur is 5 pixels at 224 x 224, which leaves an image of 32 x 32 as it is.
Result<std::optional<Faithfulness>> measure_faithfulness(model::Classifier& classifier, const image::ImageBatch& image,
                                                         const image::Heatmap& heatmap, int class_index,
                                                         double temperature = 1.0);

}  // namespace imago::evaluate
