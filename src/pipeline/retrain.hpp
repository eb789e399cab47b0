// SPDX-License-Identifier: Apache-2.0
// The loop closes: what was sent in becomes the next version of the data set, and of the model.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "pipeline/train_and_register.hpp"
#include "pipeline/workspace.hpp"

namespace imago::pipeline {

struct RetrainRequest {
  std::string model;                 ///< its champion, or its newest version, is what training goes on from
  std::vector<std::string> uploads;  ///< ids of labelled uploads
  int epochs = 3;
  std::optional<std::uint64_t> replay;  ///< old images among the new; none: 4 for each new one, 2000 at least
  double margin = 0.0;                  ///< how much worse on the test images the new version may be
  double rate = 0.1;                    ///< its learning rate as a share of the recipe's: it is nearly there already
  std::uint64_t seed = 1;
  std::string code_version;
  std::filesystem::path trainer;
  std::string job;  ///< that asked for it; may be empty
};

/// Adds the uploads to the model's data set (its test split stays as it is), trains on them and a sample of the old
/// images from the model's weights, by its own recipe without a time budget, and registers the outcome as "retrained";
/// champion only when it is not worse than the champion on the same test images. InvalidArgument when nothing is new,
/// or the model does not say how and on what it was trained.
Result<TrainResult> retrain(Workspace& workspace, const RetrainRequest& request, const OnEvent& on_event,
                            const ShouldStop& should_stop);

}  // namespace imago::pipeline
