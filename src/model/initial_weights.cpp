// SPDX-License-Identifier: Apache-2.0
#include "model/initial_weights.hpp"

#include <algorithm>
#include <set>

namespace imago::model {
namespace {

std::set<std::string> head_of(const Graph& graph) {
  std::set<std::string> names;
  for (std::size_t i = static_cast<std::size_t>(backbone_end(graph)) + 1; i < graph.nodes.size(); ++i) {
    for (const char* suffix : {".weight", ".bias"}) names.insert(graph.nodes[i].name + suffix);
  }
  return names;
}

}  // namespace

Result<InitialWeights> take_initial_weights(const Graph& graph, Weights own, const Weights& given, bool strict) {
  if (strict) {
    TRY_VOID(check_weights(graph, given));
    return InitialWeights{given, {}, {}};
  }
  const auto head = head_of(graph);
  InitialWeights initial;
  for (auto& [name, tensor] : own) {
    const auto found = given.find(name);
    const bool fits = found != given.end() && found->second.shape == tensor.shape;
    if (found != given.end() && !fits && !head.contains(name)) {
      return fail(ErrorCode::InvalidArgument, "weight '{}' is [{}], but {} needs [{}]", name,
                  fmt::join(found->second.shape, ", "), graph.architecture, fmt::join(tensor.shape, ", "));
    }
    if (fits) {
      tensor = found->second;
    } else {
      initial.kept.push_back(name);
    }
  }
  if (initial.kept.size() == own.size()) {
    return fail(ErrorCode::InvalidArgument, "not one of these {} tensors belongs to {}: {} begins with '{}'",
                given.size(), graph.architecture, graph.architecture, own.begin()->first);
  }
  for (const auto& [name, tensor] : given) {
    if (!own.contains(name)) initial.unused.push_back(name);
  }
  initial.weights = std::move(own);
  return initial;
}

Result<Weights> mean_weights(std::span<const Weights> trained) {
  if (trained.size() < 2) return fail(ErrorCode::InvalidArgument, "a mean is of two or more");
  Weights mean = trained.front();
  for (const Weights& other : trained) {
    for (const auto& [name, tensor] : other) {
      if (!mean.contains(name) || mean.at(name).shape != tensor.shape)
        return fail(ErrorCode::InvalidArgument, "tensor {} is not in all of them with the same shape", name);
    }
    if (other.size() != mean.size()) {
      const auto missing = std::ranges::find_if(mean, [&](const auto& one) { return !other.contains(one.first); });
      return fail(ErrorCode::InvalidArgument, "tensor {} is not in all of them with the same shape", missing->first);
    }
  }
  for (auto& [name, tensor] : mean) {
    for (std::size_t i = 0; i < tensor.data.size(); ++i) {
      double sum = 0.0;
      for (const Weights& other : trained) sum += static_cast<double>(other.at(name).data[i]);
      tensor.data[i] = static_cast<float>(sum / static_cast<double>(trained.size()));
    }
  }
  return mean;
}

}  // namespace imago::model
