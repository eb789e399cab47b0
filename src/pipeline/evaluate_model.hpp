// SPDX-License-Identifier: Apache-2.0
// Measuring a registered model on a split.
#pragma once

#include <functional>
#include <string>

#include "base/error.hpp"
#include "evaluate/metrics.hpp"
#include "model/classifier.hpp"
#include "model/spec.hpp"
#include "package/package.hpp"
#include "pipeline/workspace.hpp"

namespace imago::pipeline {

using OnProgress = std::function<void(std::size_t done, std::size_t total)>;

/// InvalidArgument when the data set's labels are not the model's (naming the first that differs) or the split is
/// empty.
Result<evaluate::Metrics> evaluate_split(Workspace& workspace, model::Classifier& classifier,
                                         const model::ModelSpec& spec, const data::Manifest& manifest,
                                         data::Split split, const OnProgress& on_progress);

/// {"none": accuracy, "multi": accuracy}: plain, and with the views that the package wants to be measured with; empty
/// when it names none. @param metrics of the same split, with the package's own views.
Result<json::Value> accuracy_by_views(Workspace& workspace, const package::ModelPackage& package,
                                      const data::Manifest& manifest, data::Split split,
                                      const evaluate::Metrics& metrics, const OnProgress& on_progress);

struct Evaluation {
  registry::ModelVersion version;
  std::string dataset;  ///< NAME@VERSION
  data::Split split;
  evaluate::Metrics metrics;
  json::Value views;  ///< accuracy_by_views
};

/// @param model as Registry::resolve takes it. @param dataset NAME[@VERSION][:SPLIT], the test split unless one is
/// named; empty: what the model was trained on.
Result<Evaluation> evaluate_model(Workspace& workspace, const std::string& model, const std::string& dataset,
                                  const OnProgress& on_progress);

}  // namespace imago::pipeline
