// SPDX-License-Identifier: Apache-2.0
// Measuring registered models on a split: one, or two against each other.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "evaluate/metrics.hpp"
#include "evaluate/paired.hpp"
#include "evaluate/report.hpp"
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

struct EvaluationRequest {
  std::string model;    ///< as Registry::resolve takes it
  std::string dataset;  ///< NAME[@VERSION][:SPLIT], the test split unless one is named; empty: what it was trained on
  std::string server;   ///< a server's address: it is asked, image by image, instead of the package
  std::string api_key;  ///< for `server`
  std::filesystem::path learner;      ///< imago-trainer: libtorch's network is asked, instead of the package
  std::function<bool()> should_stop;  ///< for `learner`; may be empty
  std::vector<std::string> slices;    ///< columns beside the usual ones
  bool as_served = false;             ///< not also with the views that the recipe wanted measured
  std::size_t timed_images = 200;     ///< so many are timed one by one, in the package and the learner
};

struct Evaluation {
  evaluate::Report report;
  model::Logits logits;  ///< a row an answer; of a server the logarithms of its probabilities
};

/// A model that was trained on a version that is not here is measured on the newest of that data set; Report::note says
/// so. Errors as Registry::resolve and Repository::load. InvalidArgument when labels differ (naming the first), the
/// split is empty, a column is none, or the server serves another package.
Result<Evaluation> evaluate_model(Workspace& workspace, const EvaluationRequest& request,
                                  const OnProgress& on_progress);

/// What a registered package says to a split, calibrated.
struct SplitAnswers {
  registry::ModelVersion version;
  std::vector<std::string> labels;
  std::string dataset;     ///< NAME@VERSION
  std::string trained_on;  ///< the same; empty when the package does not say
  data::Split split = data::Split::Test;
  std::vector<evaluate::Answer> answers;
  model::Logits logits;  ///< a row an answer
};

/// @param dataset as in EvaluationRequest, but with `otherwise` where it names no split. @param accept sees all but the
/// answers before they are made; its error is the result. Errors as evaluate_model.
Result<SplitAnswers> answer_split(Workspace& workspace, const std::string& model, const std::string& dataset,
                                  data::Split otherwise, const std::function<Result<void>(const SplitAnswers&)>& accept,
                                  const OnProgress& on_progress);

struct ComparisonRequest {
  std::string model_a, model_b;
  std::string dataset;  ///< as above; empty: what `model_b` was trained on
  std::vector<std::string> slices;
  std::uint64_t seed = 1;  ///< of the bootstrap
};

struct ModelComparison {
  std::string model_a, model_b;  ///< NAME:VERSION
  std::string dataset;
  data::Split split = data::Split::Test;
  data::Manifest manifest;
  std::vector<evaluate::Answer> answers_a, answers_b;
  evaluate::Comparison comparison;
  std::string verdict;
};

/// Both on the same images. Errors as evaluate_model.
Result<ModelComparison> compare_models(Workspace& workspace, const ComparisonRequest& request,
                                       const OnProgress& on_progress);

}  // namespace imago::pipeline
