// SPDX-License-Identifier: Apache-2.0
// The part of a data set's check that trains: labels that a model, which has not seen the image, is sure are wrong.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "base/error.hpp"
#include "data/check.hpp"
#include "data/check_labels.hpp"
#include "json/json.hpp"
#include "pipeline/run_trainer.hpp"
#include "pipeline/workspace.hpp"

namespace imago::pipeline {

struct LabelCheckRequest {
  std::string dataset;  ///< NAME@VERSION
  json::Value recipe;   ///< complete
  int folds = 3;        ///< 2 to 20
  std::uint64_t seed = 1;
  int threads = 0;                ///< 0: all
  std::filesystem::path trainer;  ///< the imago-trainer program
};

/// Which fold each entry is held out in: every label spread evenly over the folds, rows with the same content in one
/// fold, so that no network is asked about an image it has learned from.
std::vector<int> assign_folds(const data::Manifest& manifest, int folds, std::uint64_t seed);

/// Confident learning by cross-validation: `folds` times the recipe is trained without one fold, and gives the
/// probabilities of that fold's images (and their mirror images, if it learned from such). All images of all splits are
/// asked about. Nothing is registered or kept.
/// @param on_event the trainer's events, each with "fold" and "folds".
/// Cancelled when `should_stop` turns true; else the trainer's error.
Result<data::Finding> find_suspicious_labels(Workspace& workspace, const LabelCheckRequest& request,
                                             const OnEvent& on_event, const ShouldStop& should_stop);

}  // namespace imago::pipeline
