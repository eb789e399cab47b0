// SPDX-License-Identifier: Apache-2.0
// spec.json of a model package: everything needed to go from an image to an answer, weights aside.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "image/preprocess.hpp"
#include "json/json.hpp"
#include "model/graph.hpp"
#include "model/views.hpp"

namespace imago::model {

struct ModelSpec {
  std::string name;  ///< of the model in the registry: "cifar10"
  Graph graph;
  std::vector<std::string> labels;             ///< class i is labels[i]
  std::map<std::string, std::string> aliases;  ///< other spellings: "car" -> "automobile"
  image::Preprocess preprocess;
  double temperature = 1.0;              ///< calibration: softmax(logits / temperature)
  Views views = Views::None;             ///< what every answer is the mean of; costs as many times as there are views
  Views evaluation_views = Views::None;  ///< measured too when the model is evaluated

  [[nodiscard]] int classes() const { return static_cast<int>(labels.size()); }
};

json::Value to_json(const ModelSpec& spec);
/// Unsupported for another format. InvalidArgument naming the field; also when labels are fewer than 2, repeat, or do
/// not fit the graph's outputs, or when preprocess and graph input differ.
Result<ModelSpec> spec_from_json(const json::Value& value);

}  // namespace imago::model
