// SPDX-License-Identifier: Apache-2.0
// A run carried out again, to prove that its record says all that its weights depend on.
#pragma once

#include <filesystem>
#include <string>

#include "base/error.hpp"
#include "model/tensor.hpp"
#include "pipeline/run_trainer.hpp"
#include "pipeline/workspace.hpp"

namespace imago::pipeline {

struct ReproduceRequest {
  std::string run;           ///< its id, or the start of it
  std::string code_version;  ///< of this program
  std::filesystem::path trainer;
  bool force = false;  ///< train even where the record says that the weights may differ
};

struct Reproduction {
  tracking::Run original, repeated;
  bool identical = false;
  std::string sha256_then, sha256_now;  ///< of weights.safetensors
  std::string difference;               ///< the first one found: an epoch's figures, else a tensor's value
};

/// Trains from the record of a finished run (data set version, recipe, seed, threads, weights it started from) as a run
/// of kind "repro", which registers no model, and compares the weights bit by bit. InvalidArgument, before anything is
/// trained, when this cannot give the same weights: another program version or kind of processor, a data set version
/// or first weights that are gone, a time budget, whose schedule follows the clock. `force` trains all the same where
/// that is possible.
Result<Reproduction> reproduce(Workspace& workspace, const ReproduceRequest& request, const OnEvent& on_event,
                               const ShouldStop& should_stop);

/// What `now` has first that `then` has otherwise: "head.weight[12] was 0.5, now 0.25"; empty when they are the same
/// bit by bit.
std::string first_difference(const model::Weights& then, const model::Weights& now);

}  // namespace imago::pipeline
