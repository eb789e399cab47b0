// SPDX-License-Identifier: Apache-2.0
// Where a network looked: Grad-CAM.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "image/image.hpp"
#include "model/graph.hpp"
#include "model/tensor.hpp"

namespace imago::nn {

struct Explanation {
  int class_index = 0;                ///< the class that is explained
  int predicted_index = 0;            ///< the one with the largest logit
  std::vector<double> probabilities;  ///< softmax(logits / temperature), in class order
  std::string layer;                  ///< node whose output was looked at
  int width = 0;                      ///< of that output
  int height = 0;
  std::vector<float> heatmap;  ///< [height, width], row-major, in [0, 1]
};

/// Grad-CAM: with A_k the planes of the last output before the network pools or flattens (model::backbone_end), and y
/// the logit of the class,
///
///     weight_k = mean over positions of dy / dA_k,    map = max(0, sum over k of weight_k * A_k)
///
/// divided by its largest value, so that the place that spoke most for the class is 1; all 0 when nothing spoke for it.
/// With one output y is that logit for class 1 and its negation for class 0.
///
/// @param image one image, preprocessed. @param class_index which class; none: the predicted one.
/// @error InvalidArgument when the image, weights or class do not fit the graph; Unsupported when it has no such
/// output. Source: Selvaraju, Cogswell, Das, Vedantam, Parikh, Batra, "Grad-CAM: Visual Explanations from Deep Networks
/// via Gradient-based Localization", ICCV 2017, equations 1 and 2.
Result<Explanation> grad_cam(const model::Graph& graph, const model::Weights& weights, const image::ImageBatch& image,
                             std::optional<int> class_index, double temperature = 1.0);

}  // namespace imago::nn
