// SPDX-License-Identifier: Apache-2.0
// imago models list | show | history; those that change something are in models_change_command.cpp and
// models_threshold_command.cpp
#include "app/models_command.hpp"

#include <fmt/ranges.h>

#include "app/shipped_models.hpp"
#include "app/table.hpp"
#include "package/describe.hpp"

namespace imago::app {
namespace {

Result<void> run_list(Context& context) {
  TRY(auto* workspace, context.workspace());
  TRY(const auto versions, workspace->models().list());
  json::Value value = json::Value::array();
  std::vector<std::vector<std::string>> rows{{"MODEL", "VERSION", "TEST ACCURACY", "ALIASES", "CREATED", "RUN"}};
  for (const auto& version : versions) {
    value.push_back(to_json(version));
    rows.push_back({version.model, std::to_string(version.version),
                    version.test_accuracy < 0 ? "-" : fmt::format("{:.4f}", version.test_accuracy),
                    fmt::format("{}", fmt::join(version.aliases, " ")), version.created, version.run});
  }
  context.answer(value, versions.empty() ? "no model yet: train one with `imago train`\n" : format_columns(rows));
  return {};
}

Result<void> run_list_shipped(const Context& context) {
  json::Value value = json::Value::array();
  std::vector<std::vector<std::string>> rows{{"MODEL", "TEST ACCURACY", "MB", "FILE"}};
  for (const auto& model : shipped_models()) {
    value.push_back({{"model", model.name},
                     {"test_accuracy", model.test_accuracy},
                     {"bytes", model.bytes},
                     {"file", model.file.string()}});
    rows.push_back({model.name, model.test_accuracy < 0 ? "-" : fmt::format("{:.4f}", model.test_accuracy),
                    fmt::format("{:.1f}", static_cast<double>(model.bytes) / 1e6), model.file.string()});
  }
  context.answer(value, value.empty() ? "no model ships with this program\n" : format_columns(rows));
  return {};
}

std::string format_layers(const json::Value& described) {
  std::vector<std::vector<std::string>> rows{{"LAYER", "KIND", "OUTPUT", "PARAMETERS", "MACS"}};
  for (const auto& layer : described["layers"]) {
    rows.push_back({layer["name"], layer["kind"],
                    fmt::format("{}", fmt::join(layer["output"].get<std::vector<int>>(), " x ")),
                    layer["parameters"].dump(), layer["macs"].dump()});
  }
  rows.push_back({"total", "", "", described["parameters"].dump(), described["macs"].dump()});
  return format_columns(rows);
}

Result<void> run_show(Context& context, const std::string& reference) {
  TRY(auto* workspace, context.workspace());
  TRY(const auto version, workspace->models().resolve(reference));
  TRY(const auto package, workspace->models().open(version));
  TRY(const auto described, package::describe(package));
  json::Value value = to_json(version);
  value.update(described);
  value["package"] = package.folder.string();
  context.answer(value,
                 fmt::format("{}:{}  {}  {}\nlabels: {}\ntest accuracy: {}\ntrained on: {}  run: {}\npackage: {}\n\n{}",
                             version.model, version.version, package.spec.graph.architecture,
                             fmt::join(version.aliases, " "), fmt::join(package.spec.labels, ", "),
                             version.test_accuracy < 0 ? "-" : fmt::format("{:.4f}", version.test_accuracy),
                             package.lineage.value("dataset", "-"), version.run.empty() ? "-" : version.run,
                             package.folder.string(), format_layers(described)));
  return {};
}

Result<void> run_history(Context& context, const std::string& model, const std::string& alias) {
  TRY(auto* workspace, context.workspace());
  TRY_VOID(registry::check_alias(alias));
  TRY(const auto found, workspace->models().resolve(model));
  TRY(const auto moves, workspace->models().alias_history(found.model, alias));
  json::Value value{{"model", found.model}, {"alias", alias}, {"moves", json::Value::array()}};
  std::vector<std::vector<std::string>> rows{{"VERSION", "SINCE", "REASON"}};
  for (const auto& move : moves) {
    value["moves"].push_back({{"version", move.version}, {"time", move.time}, {"reason", move.reason}});
    rows.push_back({std::to_string(move.version), move.time, move.reason});
  }
  context.answer(
      value, moves.empty() ? fmt::format("no version of {} ever was {}\n", found.model, alias) : format_columns(rows));
  return {};
}

void add_history(CLI::App& models, Context& context) {
  auto* command = models.add_subcommand("history", "Where an alias has been, newest first, and why");
  auto model = std::make_shared<std::string>();
  auto alias = std::make_shared<std::string>("champion");
  command->add_option("model", *model, "Name of the model")->required();
  command->add_option("--alias", *alias, "Which alias")->capture_default_str();
  command->footer("Example:\n  imago models history cifar10");
  command->callback([&context, model, alias] {
    context.action = [&context, model, alias] { return run_history(context, *model, *alias); };
  });
}

}  // namespace

json::Value to_json(const registry::ModelVersion& version) {
  return {{"model", version.model},     {"version", version.version}, {"aliases", version.aliases},
          {"created", version.created}, {"run", version.run},         {"test_accuracy", version.test_accuracy},
          {"digest", version.digest}};
}

void add_model_commands(CLI::App& app, Context& context) {
  auto* models = app.add_subcommand("models", "Registered models: look, promote, roll back, export, import");
  models->require_subcommand(1);
  auto* list = models->add_subcommand("list", "All versions with their aliases and accuracy");
  auto shipped = std::make_shared<bool>(false);
  list->add_flag("--shipped", *shipped, "The models that ship with Imago instead, for `imago models import NAME`");
  list->footer("Example:\n  imago models list --json");
  list->callback([&context, shipped] {
    context.action = [&context, shipped] { return *shipped ? run_list_shipped(context) : run_list(context); };
  });
  auto* show = models->add_subcommand("show", "Layers, shapes, parameters, MACs, labels and lineage of one version");
  auto reference = std::make_shared<std::string>();
  show->add_option("model", *reference, "MODEL, MODEL:VERSION or MODEL:ALIAS")->required();
  show->footer("Example:\n  imago models show cifar10:champion");
  show->callback(
      [&context, reference] { context.action = [&context, reference] { return run_show(context, *reference); }; });
  add_history(*models, context);
  add_model_changes(*models, context);
  add_threshold(*models, context);
  add_batch(*models, context);
  add_average(*models, context);
}

}  // namespace imago::app
