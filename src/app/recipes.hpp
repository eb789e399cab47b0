// SPDX-License-Identifier: Apache-2.0
// Recipes: the YAML files of recipes/, which are inside the program, and a user's own.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "json/json.hpp"

namespace imago::app {

std::vector<std::string> recipe_names();

/// A recipe that ships with the program by name, or a YAML file by path (it has a '/' or ends in .yaml). NotFound lists
/// the names.
Result<json::Value> load_recipe(const std::string& name_or_path);

/// Applies "epochs=10" or "optimizer.weight_decay=5e-4": the value is read as YAML. InvalidArgument when there is no
/// '='.
Result<void> apply_override(json::Value& recipe, const std::string& assignment);

}  // namespace imago::app
