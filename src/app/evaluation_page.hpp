// SPDX-License-Identifier: Apache-2.0
// What was measured of a model, or of two, as one HTML page to look at.
#pragma once

#include <string>

#include "data/repository.hpp"
#include "evaluate/report.hpp"
#include "pipeline/evaluate_model.hpp"

namespace imago::app {

/// A page that needs nothing else: pictures and plots are inside, no script, no request. Light or dark as the reader's
/// system is, light on paper. A click on a cell of the confusion matrix shows images of it. Names are escaped.
std::string evaluation_page(const data::Repository& repository, const evaluate::Report& report);

/// The same of two models: the verdict, what changed where, images that were fixed and broken.
std::string comparison_page(const data::Repository& repository, const pipeline::ModelComparison& comparison);

}  // namespace imago::app
