// SPDX-License-Identifier: Apache-2.0
#include "train/class_weights.hpp"

#include <fmt/ranges.h>

#include <algorithm>

namespace imago::train {
namespace {

constexpr double kMaxWeight = 1e6;

std::vector<double> balanced(std::size_t classes, std::span<const int> labels) {
  std::vector<double> weights(classes, 0.0);
  for (const int label : labels) weights[static_cast<std::size_t>(label)] += 1.0;
  for (double& weight : weights) {
    if (weight > 0.0) weight = static_cast<double>(labels.size()) / (static_cast<double>(classes) * weight);
  }
  return weights;
}

}  // namespace

Result<ClassWeighting> class_weighting_from_json(const json::Value& value) {
  if (value == "none") return ClassWeighting{};
  if (value == "balanced") return ClassWeighting{.kind = ClassWeighting::Kind::Balanced};
  if (!value.is_object())
    return fail(ErrorCode::InvalidArgument, "{} is not none, balanced or weights by class", json::dump(value));
  ClassWeighting weighting{.kind = ClassWeighting::Kind::Explicit};
  for (const auto& [name, weight] : value.items()) {
    if (!weight.is_number() || !(weight.get<double>() > 0.0 && weight.get<double>() <= kMaxWeight))
      return fail(ErrorCode::InvalidArgument, "'{}' is {}, not a number above 0 and up to {}", name, json::dump(weight),
                  kMaxWeight);
    weighting.weights[name] = weight.get<double>();
  }
  return weighting;
}

json::Value to_json(const ClassWeighting& weighting) {
  switch (weighting.kind) {
    case ClassWeighting::Kind::None: return "none";
    case ClassWeighting::Kind::Balanced: return "balanced";
    case ClassWeighting::Kind::Explicit: break;
  }
  json::Value weights = json::Value::object();
  for (const auto& [name, weight] : weighting.weights) weights[name] = weight;
  return weights;
}

Result<std::vector<double>> class_weights(const ClassWeighting& weighting, const std::vector<std::string>& names,
                                          std::span<const int> labels) {
  if (weighting.kind == ClassWeighting::Kind::None) return std::vector<double>{};
  if (weighting.kind == ClassWeighting::Kind::Balanced) return balanced(names.size(), labels);
  std::vector<double> weights(names.size(), 1.0);
  for (const auto& [name, weight] : weighting.weights) {
    const auto found = std::ranges::find(names, name);
    if (found == names.end())
      return fail(ErrorCode::InvalidArgument,
                  "loss.class_weights has '{}', which is no class of the data: there are {}", name,
                  fmt::join(names, ", "));
    weights[static_cast<std::size_t>(found - names.begin())] = weight;
  }
  return weights;
}

}  // namespace imago::train
