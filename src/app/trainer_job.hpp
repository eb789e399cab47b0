// SPDX-License-Identifier: Apache-2.0
// What imago-trainer is told on standard input and says on standard output: docs/formats/trainer.md.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "json/json.hpp"
#include "train/recipe.hpp"

namespace imago::app {

/// Weights to start from; see model::take_initial_weights.
struct StartWeights {
  std::filesystem::path file;  ///< .safetensors or .pth; empty: none
  bool strict = false;
};

/// Train on what is new since `parent` and on so many of its images.
struct Replay {
  std::string parent;  ///< NAME@VERSION
  std::size_t images = 0;
};

struct TrainingJob {
  std::filesystem::path datasets, run_folder, package_folder;
  std::string dataset, model_name;
  train::Recipe recipe;
  bool resume = false;
  std::optional<StartWeights> weights;
  std::optional<Replay> replay;
};

/// All of standard input as JSON.
Result<json::Value> read_job();
/// InvalidArgument naming the field.
Result<TrainingJob> training_job(const json::Value& value);

/// The other jobs, each told of in one event: Grad-CAM of images, the answers to a split, the ONNX file of a network.
Result<void> explain(const json::Value& job);
Result<void> classify(const json::Value& job);
Result<void> write_network(const json::Value& job);

/// One line on standard output, flushed.
void emit(const json::Value& event);

}  // namespace imago::app
