// SPDX-License-Identifier: Apache-2.0
// Weights learned elsewhere, as the start of another training.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "model/graph.hpp"
#include "model/tensor.hpp"

namespace imago::model {

struct InitialWeights {
  Weights weights;                  ///< all that the graph needs
  std::vector<std::string> kept;    ///< tensors that stay as the network drew them, by name
  std::vector<std::string> unused;  ///< tensors of `given` that the graph has no place for
};

/// Puts each tensor of `given` in the place of the one with its name in `own`, which has all that the graph needs.
///
/// With `strict` the names must be the same on both sides. Without it a tensor that is missing stays as it is, and so
/// does the head's (see backbone_end) where its shape differs, as it does for other classes. InvalidArgument, naming
/// the tensor and both shapes, for any other difference in shape, and when not one tensor fits.
Result<InitialWeights> take_initial_weights(const Graph& graph, Weights own, const Weights& given, bool strict);

/// The mean of trainings of one network that began at the same weights (Wortsman et al. 2022, "Model soups"), tensor by
/// tensor. What BatchNorm counted is only roughly that of the mean: a pass over training images counts it anew.
/// InvalidArgument for fewer than two, and naming a tensor that is not in all with the same shape.
Result<Weights> mean_weights(std::span<const Weights> trained);

}  // namespace imago::model
