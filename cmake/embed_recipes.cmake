# SPDX-License-Identifier: Apache-2.0
# cmake -DOUTPUT=... -DRECIPES=folder -P embed_recipes.cmake
file(GLOB files ${RECIPES}/*.yaml)
set(rows "")
foreach(file ${files})
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} text)
  string(APPEND rows "    {\"${name}\", R\"recipe(${text})recipe\"},\n")
endforeach()
file(WRITE ${OUTPUT}.new "#include \"app/embedded_recipes.hpp\"

#include <array>

namespace imago::app {

std::span<const EmbeddedRecipe> embedded_recipes() {
  static constexpr auto kRecipes = std::to_array<EmbeddedRecipe>({
${rows}  });
  return kRecipes;
}

}  // namespace imago::app
")
file(COPY_FILE ${OUTPUT}.new ${OUTPUT} ONLY_IF_DIFFERENT)
