// SPDX-License-Identifier: Apache-2.0
#include "app/trainer_job.hpp"

#include <cstdio>
#include <iostream>
#include <iterator>

namespace imago::app {
namespace {

Result<std::optional<StartWeights>> start_weights(const json::Value& value) {
  if (!value.contains("initial_weights") || value["initial_weights"].is_null()) return std::optional<StartWeights>();
  StartWeights start;
  TRY(start.file, json::get<std::string>(value, "initial_weights"));
  TRY(start.strict, json::get_or<bool>(value, "strict", false));
  return std::optional(std::move(start));
}

Result<std::optional<Replay>> replay(const json::Value& value) {
  if (!value.contains("replay") || value["replay"].is_null()) return std::optional<Replay>();
  TRY(const auto object, json::get<json::Value>(value, "replay"));
  Replay replay;
  TRY(replay.parent, json::get<std::string>(object, "parent"));
  TRY(replay.images, json::get<std::uint64_t>(object, "images"));
  return std::optional(std::move(replay));
}

}  // namespace

Result<json::Value> read_job() {
  const std::string text{std::istreambuf_iterator<char>(std::cin), {}};
  return json::parse(text);
}

Result<TrainingJob> training_job(const json::Value& value) {
  TrainingJob job;
  TRY(job.datasets, json::get<std::string>(value, "datasets"));
  TRY(job.dataset, json::get<std::string>(value, "dataset"));
  TRY(job.run_folder, json::get<std::string>(value, "run_folder"));
  TRY(job.package_folder, json::get<std::string>(value, "package_folder"));
  TRY(job.model_name, json::get<std::string>(value, "model_name"));
  TRY(job.resume, json::get_or<bool>(value, "resume", false));
  TRY(const auto recipe, json::get<json::Value>(value, "recipe"));
  TRY(job.recipe, train::recipe_from_json(recipe));
  TRY(job.recipe.training.seed, json::get_or<std::uint64_t>(value, "seed", 1));
  job.recipe.learner.seed = job.recipe.training.seed;
  TRY(job.recipe.learner.threads, json::get_or<int>(value, "threads", 0));
  TRY(job.weights, start_weights(value));
  TRY(job.replay, replay(value));
  return job;
}

void emit(const json::Value& event) {
  fmt::print("{}\n", json::dump(event));
  std::fflush(stdout);
}

}  // namespace imago::app
