// SPDX-License-Identifier: Apache-2.0
// What every classifier is, whoever computes it: the learner, an engine on the package, a server far away. evaluate()
// takes any of them.
#pragma once

#include <span>
#include <vector>

#include "base/error.hpp"
#include "image/image.hpp"

namespace imago::model {

/// Scores before softmax, float32 [n, classes], row-major. A network with one output is widened on the way here to two
/// columns (0, logit), so that softmax of the row is its sigmoid.
struct Logits {
  int n = 0;
  int classes = 0;
  std::vector<float> data;

  [[nodiscard]] std::span<const float> row(int i) const {
    return std::span(data).subspan(static_cast<std::size_t>(i) * static_cast<std::size_t>(classes),
                                   static_cast<std::size_t>(classes));
  }
};

class Classifier {
 public:
  virtual ~Classifier() = default;
  [[nodiscard]] virtual int classes() const = 0;
  /// `batch` must already be preprocessed for this model. InvalidArgument when its shape is not the model's.
  virtual Result<Logits> classify(const image::ImageBatch& batch) = 0;
};

/// Probabilities of one row: exp((x_i - max) / temperature), normalised, in double. All in [0, 1], sum 1.
std::vector<double> softmax(std::span<const float> logits, double temperature = 1.0);

/// Index of the largest; the first of equals.
int argmax(std::span<const float> values);

}  // namespace imago::model
