// SPDX-License-Identifier: Apache-2.0
// imago recipes list | show
#include "app/command.hpp"
#include "app/recipes.hpp"
#include "app/table.hpp"

namespace imago::app {
namespace {

Result<void> list_recipes(Context& context) {
  json::Value value = json::Value::array();
  std::vector<std::vector<std::string>> rows{{"RECIPE", "DESCRIPTION"}};
  for (const auto& name : recipe_names()) {
    TRY(const auto recipe, load_recipe(name));
    value.push_back({{"name", name}, {"description", recipe.value("description", "")}});
    rows.push_back({name, recipe.value("description", "")});
  }
  context.answer(value, format_columns(rows));
  return {};
}

Result<void> show_recipe(Context& context, const std::string& name) {
  TRY(const auto recipe, load_recipe(name));
  context.answer(recipe, json::dump_pretty(recipe) + "\n");
  return {};
}

}  // namespace

void add_recipe_commands(CLI::App& app, Context& context) {
  auto* recipes = app.add_subcommand("recipes", "Training recipes that ship with the program");
  recipes->require_subcommand(1);
  auto* list = recipes->add_subcommand("list", "Names and what they are");
  list->footer("Example:\n  imago recipes list");
  list->callback([&context] { context.action = [&context] { return list_recipes(context); }; });
  auto* show = recipes->add_subcommand("show", "All settings of one");
  auto name = std::make_shared<std::string>();
  show->add_option("recipe", *name, "Name or .yaml file")->required();
  show->footer("Example:\n  imago recipes show quick");
  show->callback([&context, name] { context.action = [&context, name] { return show_recipe(context, *name); }; });
}

}  // namespace imago::app
