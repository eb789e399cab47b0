// SPDX-License-Identifier: Apache-2.0
// imago runs list | show, imago recipes list | show
#include "app/command.hpp"
#include "app/recipes.hpp"
#include "app/table.hpp"

namespace imago::app {
namespace {

json::Value to_json(const tracking::Run& run) {
  return {{"run", run.id},          {"kind", run.kind},      {"status", tracking::to_string(run.status)},
          {"created", run.created}, {"ended", run.ended},    {"error", run.error},
          {"params", run.params},   {"summary", run.summary}};
}

Result<void> list_runs(Context& context) {
  TRY(auto* workspace, context.workspace());
  TRY(const auto runs, workspace->runs().list());
  json::Value value = json::Value::array();
  std::vector<std::vector<std::string>> rows{{"RUN", "STATUS", "DATA SET", "RECIPE", "TEST ACCURACY", "CREATED"}};
  for (const auto& run : runs) {
    value.push_back(to_json(run));
    const bool measured = run.summary.is_object() && run.summary.contains("test_accuracy");
    rows.push_back({run.id, std::string(tracking::to_string(run.status)), run.params.value("dataset", "-"),
                    run.params.contains("recipe") ? run.params["recipe"].value("name", "-") : "-",
                    measured ? fmt::format("{:.4f}", run.summary["test_accuracy"].get<double>()) : "-", run.created});
  }
  context.answer(value, runs.empty() ? "no runs yet: start one with `imago train`\n" : format_columns(rows));
  return {};
}

Result<void> show_run(Context& context, const std::string& id) {
  TRY(auto* workspace, context.workspace());
  TRY(const auto run, workspace->runs().find(id));
  TRY(const auto series, workspace->runs().metrics(run.id));
  json::Value value = to_json(run);
  std::vector<std::vector<std::string>> rows{{"METRIC", "STEP", "VALUE"}};
  for (const auto& [name, points] : series) {
    json::Value column = json::Value::array();
    for (const auto& point : points) {
      column.push_back({{"step", point.step}, {"value", point.value}, {"time", point.time}});
      rows.push_back({name, std::to_string(point.step), fmt::format("{:.4f}", point.value)});
    }
    value["metrics"][name] = std::move(column);
  }
  context.answer(value,
                 fmt::format("run {}  {}  created {}  ended {}\n{}params: {}\nsummary: {}\n\n{}", run.id,
                             tracking::to_string(run.status), run.created, run.ended.empty() ? "-" : run.ended,
                             run.error.empty() ? "" : "error: " + run.error + "\n", json::dump_pretty(run.params),
                             json::dump_pretty(run.summary), format_columns(rows)));
  return {};
}

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

void add_run_commands(CLI::App& app, Context& context) {
  auto* runs = app.add_subcommand("runs", "Training runs: settings, curves, outcome");
  runs->require_subcommand(1);
  auto* list = runs->add_subcommand("list", "The newest runs");
  list->footer("Example:\n  imago runs list");
  list->callback([&context] { context.action = [&context] { return list_runs(context); }; });
  auto* show = runs->add_subcommand("show", "One run");
  auto id = std::make_shared<std::string>();
  show->add_option("run", *id, "Its id, or the start of it")->required();
  show->footer("Example:\n  imago runs show 20261121");
  show->callback([&context, id] { context.action = [&context, id] { return show_run(context, *id); }; });
}

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
