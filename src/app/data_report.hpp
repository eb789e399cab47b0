// SPDX-License-Identifier: Apache-2.0
// What people read of a data set: its images by class and split, and what became of the files it was made from.
#pragma once

#include <string>

#include "data/import.hpp"
#include "json/json.hpp"

namespace imago::app {

json::Value to_json(const data::ImportReport& report, const std::string& name);

/// Images of each class and split.
std::string counts_table(const data::ImportReport& report);

/// The end of an import: counts, kept and fixed and refused files by reason, the first refusals, the version.
std::string import_text(const data::ImportReport& report, const std::string& name);

}  // namespace imago::app
