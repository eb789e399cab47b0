// SPDX-License-Identifier: Apache-2.0
// Inside app/: the confusion matrix of a page, each cell a link to images of it.
#pragma once

#include <string>

#include "data/repository.hpp"
#include "evaluate/report.hpp"

namespace imago::app {

/// A section. Of many classes the most frequent confusions instead of the matrix.
std::string confusion_view(const data::Repository& repository, const evaluate::Report& report);

}  // namespace imago::app
