// SPDX-License-Identifier: Apache-2.0
#include "model/classifier.hpp"

#include <algorithm>
#include <cmath>

namespace imago::model {

std::vector<double> softmax(std::span<const float> logits, double temperature) {
  EXPECTS(!logits.empty() && temperature > 0, "softmax needs logits and a positive temperature");
  const double largest = *std::max_element(logits.begin(), logits.end());
  std::vector<double> probabilities;
  probabilities.reserve(logits.size());
  double sum = 0;
  for (const float logit : logits) {
    probabilities.push_back(std::exp((logit - largest) / temperature));
    sum += probabilities.back();
  }
  for (auto& probability : probabilities) probability /= sum;
  return probabilities;
}

int argmax(std::span<const float> values) {
  EXPECTS(!values.empty(), "argmax of nothing");
  return static_cast<int>(std::max_element(values.begin(), values.end()) - values.begin());
}

}  // namespace imago::model
