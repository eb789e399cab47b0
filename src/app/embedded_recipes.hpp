// SPDX-License-Identifier: Apache-2.0
// The files of recipes/, made into a source file by cmake/embed_recipes.cmake.
#pragma once

#include <span>
#include <string_view>

namespace imago::app {

struct EmbeddedRecipe {
  std::string_view name;
  std::string_view yaml;
};

std::span<const EmbeddedRecipe> embedded_recipes();

}  // namespace imago::app
