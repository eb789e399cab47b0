// SPDX-License-Identifier: Apache-2.0
// imago recipes list | show
#include "app/command.hpp"
#include "app/recipes.hpp"
#include "app/table.hpp"
#include "model/architectures.hpp"

namespace imago::app {
namespace {

/// What the costs are told for; a network's head is as wide as it has classes.
constexpr int kClasses = 10;
/// A training step is a forward pass and about twice that for the gradients; a frozen backbone has none.
constexpr double kPassesPerStep = 3.0;

/// What a recipe asks of a machine.
struct Cost {
  std::string description;
  int width = 0, height = 0;  ///< of its input
  std::int64_t parameters = 0;
  std::int64_t macs = 0;  ///< multiply-accumulates of one image's forward pass
  double epochs = 0.0;
  bool frozen = false;

  /// Multiply-accumulates for each image of the training split over the whole training.
  [[nodiscard]] double training_macs() const {
    return (frozen ? 1.0 : kPassesPerStep) * static_cast<double>(macs) * epochs;
  }
};

Result<Cost> read_cost(const json::Value& recipe) {
  TRY(auto settings, json::get<json::Value>(recipe, "architecture"));
  TRY(const auto architecture, json::get<std::string>(settings, "name"));
  settings.erase("name");
  const json::Value preprocess = recipe.value("preprocess", json::Value::object());
  Cost cost;
  TRY(cost.description, json::get_or<std::string>(recipe, "description", ""));
  TRY(cost.width, json::get_or<int>(preprocess, "width", 32));
  TRY(cost.height, json::get_or<int>(preprocess, "height", 32));
  TRY(cost.epochs, json::get_or<double>(recipe, "epochs", 10.0));
  TRY(const auto freeze, json::get_or<std::string>(recipe, "freeze", "none"));
  cost.frozen = freeze == "backbone";
  TRY(const auto graph,
      model::build_graph(architecture,
                         {.input = {3, cost.height, cost.width}, .classes = kClasses, .settings = settings}));
  TRY(const auto nodes, model::summarize(graph));
  for (const auto& node : nodes) {
    cost.parameters += node.parameters;
    cost.macs += node.macs;
  }
  return cost;
}

Result<Cost> cost_of(const std::string& name, const json::Value& recipe) {
  auto cost = read_cost(recipe);
  if (!cost) return pass(cost, "recipe " + name);
  return cost;
}

json::Value to_json(const std::string& name, const json::Value& recipe, const Cost& cost) {
  return {{"name", name},
          {"description", cost.description},
          {"epochs", recipe.value("epochs", json::Value(cost.epochs))},
          {"input", {{"width", cost.width}, {"height", cost.height}}},
          {"parameters", cost.parameters},
          {"macs", cost.macs},
          {"training_macs", cost.training_macs()}};
}

/// "621,258": no digit is lost, as people compare them with papers'.
std::string grouped(std::int64_t number) {
  std::string text = fmt::format("{}", number);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), ",");
  return text;
}

std::string millions(double macs) { return fmt::format("{:.1f} M", macs / 1e6); }

Result<void> list_recipes(Context& context) {
  json::Value value = json::Value::array();
  std::vector<std::vector<std::string>> rows{
      {"RECIPE", "INPUT", "PARAMETERS", "MACS", "EPOCHS", "MACS TO TRAIN", "DESCRIPTION"}};
  for (const auto& name : recipe_names()) {
    TRY(const auto recipe, load_recipe(name));
    TRY(const auto cost, cost_of(name, recipe));
    value.push_back(to_json(name, recipe, cost));
    rows.push_back({name, fmt::format("{}x{}", cost.width, cost.height), grouped(cost.parameters),
                    millions(static_cast<double>(cost.macs)), fmt::format("{}", cost.epochs),
                    fmt::format("{:.1f} G", cost.training_macs() / 1e9), cost.description});
  }
  context.answer(value, format_columns(rows) +
                            fmt::format("\nParameters for {} classes; MACs are multiply-accumulates: of one image's "
                                        "forward pass, and of training on one image for all epochs.\n",
                                        kClasses));
  return {};
}

Result<void> show_recipe(Context& context, const std::string& name) {
  TRY(const auto recipe, load_recipe(name));
  TRY(const auto cost, cost_of(name, recipe));
  json::Value value = to_json(name, recipe, cost);
  value["recipe"] = recipe;
  context.answer(value, fmt::format("{}: {}\n{}x{} pixels, {} parameters with {} classes, {} multiply-accumulates an "
                                    "image, {:.1f} G to train on one for {} epochs\n\n{}\n",
                                    name, cost.description, cost.width, cost.height, grouped(cost.parameters), kClasses,
                                    millions(static_cast<double>(cost.macs)), cost.training_macs() / 1e9, cost.epochs,
                                    json::dump_pretty(recipe)));
  return {};
}

}  // namespace

void add_recipe_commands(CLI::App& app, Context& context) {
  auto* recipes = app.add_subcommand("recipes", "Training recipes that ship with the program");
  recipes->require_subcommand(1);
  auto* list = recipes->add_subcommand("list", "What there is, how large it is and what it costs to train");
  list->footer("Example:\n  imago recipes list");
  list->callback([&context] { context.action = [&context] { return list_recipes(context); }; });
  auto* show = recipes->add_subcommand("show", "All settings of one, and its size");
  auto name = std::make_shared<std::string>();
  show->add_option("recipe", *name, "Name or .yaml file")->required();
  show->footer("Example:\n  imago recipes show quick");
  show->callback([&context, name] { context.action = [&context, name] { return show_recipe(context, *name); }; });
}

}  // namespace imago::app
