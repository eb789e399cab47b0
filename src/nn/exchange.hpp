// SPDX-License-Identifier: Apache-2.0
// What the processes of a team tell one another after a backward pass: all of it in one exchange.
#pragma once

#include <torch/torch.h>

#include "nn/communicator.hpp"
#include "nn/learner.hpp"

namespace imago::nn {

/// One process's part of a step. The tensors are changed in place.
struct Share {
  torch::Tensor gradient;    ///< flat; of the mean loss over this process's images
  torch::Tensor statistics;  ///< running means and variances of BatchNorms; may be empty
  /// The statistics move with every step, so their mean over all images is kept; else they are the first process's, to
  /// the bit, as a mean of equal numbers need not be equal to them.
  bool statistics_move = true;
  StepReport report;
  double loss_weight = 1.0;  ///< what the mean loss was divided by: the images, or the sum of their classes' weights
  int images = 0;
};

/// Afterwards gradient, statistics and report are those of the whole batch, in every process the same to the bit.
Result<void> exchange(Communicator& team, Share& share);

/// The seed of a step's dropout: another one in each process and step, so that a resumed run draws the same.
std::uint64_t dropout_seed(std::uint64_t seed, int rank, std::int64_t step);

}  // namespace imago::nn
