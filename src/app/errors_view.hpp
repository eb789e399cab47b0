// SPDX-License-Identifier: Apache-2.0
// Inside app/: the worst errors of a report's page, with where the network looked.
#pragma once

#include <string>
#include <vector>

#include "data/repository.hpp"
#include "evaluate/report.hpp"
#include "serve/explainer.hpp"

namespace imago::app {

/// Images in the page's gallery.
inline constexpr std::size_t kErrorsShown = 24;

/// Grad-CAM of the worst errors, at most `most`, for the class that was said and for the true one. Errors as
/// serve::explain and Repository::read_object.
Result<std::vector<evaluate::LookedAt>> explain_errors(const serve::Explainer& explainer, const model::ModelSpec& spec,
                                                       const data::Repository& repository,
                                                       const evaluate::Report& report, std::size_t most);

/// A section: the surest of the wrong answers, with the maps of Report::looked_at laid over them.
std::string errors_view(const data::Repository& repository, const evaluate::Report& report);

}  // namespace imago::app
