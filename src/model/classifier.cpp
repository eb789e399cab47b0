// SPDX-License-Identifier: Apache-2.0
#include "model/classifier.hpp"

#include <algorithm>
#include <cmath>

namespace imago::model {

std::vector<double> softmax(std::span<const float> logits, double temperature) {
  EXPECTS(!logits.empty() && temperature > 0.0, "softmax needs a logit and a temperature above 0");
  const double largest = *std::ranges::max_element(logits);
  std::vector<double> probabilities(logits.size());
  double sum = 0.0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    probabilities[i] = std::exp((static_cast<double>(logits[i]) - largest) / temperature);
    sum += probabilities[i];
  }
  for (double& probability : probabilities) probability /= sum;
  return probabilities;
}

int argmax(std::span<const float> values) {
  EXPECTS(!values.empty(), "argmax of nothing");
  return static_cast<int>(std::ranges::max_element(values) - values.begin());
}

}  // namespace imago::model
