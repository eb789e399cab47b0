// SPDX-License-Identifier: Apache-2.0
// What libtorch's network answers for a split. This program has no libtorch: imago-trainer asks it.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "base/error.hpp"
#include "data/manifest.hpp"
#include "evaluate/predictions.hpp"
#include "package/package.hpp"

namespace imago::pipeline {

struct LearnerTask {
  std::filesystem::path trainer;   ///< imago-trainer
  std::filesystem::path datasets;  ///< folder of the repository
  std::string dataset;             ///< NAME@VERSION
  data::Split split = data::Split::Test;
  std::size_t timed_images = 0;  ///< so many are timed one by one
  std::function<void(std::size_t done, std::size_t total)> on_progress;
  std::function<bool()> should_stop;
};

struct LearnerAnswers {
  model::Logits logits;  ///< a row an image, in the split's order
  evaluate::Latency batches, singles;
};

/// The weights of the package in the network they were trained in, with the package's views. Errors as jobs::run_task.
Result<LearnerAnswers> ask_learner(const package::ModelPackage& package, const LearnerTask& task);

}  // namespace imago::pipeline
