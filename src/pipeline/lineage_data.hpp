// SPDX-License-Identifier: Apache-2.0
// The data set that a model was trained on, where the model may have come from elsewhere.
#pragma once

#include <string>

#include "base/error.hpp"
#include "data/repository.hpp"

namespace imago::pipeline {

/// `reference` (NAME@VERSION), or the newest version of that name where that version is not here; the caller sees by
/// data::version_of which it is. NotFound, naming the command that brings it in, when there is no version of that name.
Result<data::Manifest> load_or_newest(const data::Repository& repository, const std::string& reference);

}  // namespace imago::pipeline
