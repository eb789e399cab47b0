// SPDX-License-Identifier: Apache-2.0
// imago models list | show
#include <fmt/ranges.h>

#include "app/command.hpp"
#include "app/table.hpp"

namespace imago::app {
namespace {

json::Value to_json(const registry::ModelVersion& version) {
  return {{"model", version.model},     {"version", version.version}, {"aliases", version.aliases},
          {"created", version.created}, {"run", version.run},         {"test_accuracy", version.test_accuracy},
          {"digest", version.digest}};
}

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

std::string shape_text(const model::Shape& shape) { return fmt::format("{}", fmt::join(shape, " x ")); }

Result<void> run_show(Context& context, const std::string& reference) {
  TRY(auto* workspace, context.workspace());
  TRY(const auto version, workspace->models().resolve(reference));
  TRY(const auto package, workspace->models().open(version));
  TRY(const auto layers, model::summarize(package.spec.graph));
  json::Value layer_rows = json::Value::array();
  std::vector<std::vector<std::string>> rows{{"LAYER", "KIND", "OUTPUT", "PARAMETERS", "MACS"}};
  std::int64_t parameters = 0;
  std::int64_t macs = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto& node = package.spec.graph.nodes[i];
    parameters += layers[i].parameters;
    macs += layers[i].macs;
    layer_rows.push_back({{"name", node.name},
                          {"kind", model::layer_name(node.layer)},
                          {"output", layers[i].output},
                          {"parameters", layers[i].parameters},
                          {"macs", layers[i].macs}});
    rows.push_back({node.name, std::string(model::layer_name(node.layer)), shape_text(layers[i].output),
                    std::to_string(layers[i].parameters), std::to_string(layers[i].macs)});
  }
  rows.push_back({"total", "", "", std::to_string(parameters), std::to_string(macs)});
  json::Value value = to_json(version);
  value["architecture"] = package.spec.graph.architecture;
  value["labels"] = package.spec.labels;
  value["preprocess"] = image::to_json(package.spec.preprocess);
  value["layers"] = layer_rows;
  value["parameters"] = parameters;
  value["macs"] = macs;
  value["report"] = package.report;
  value["lineage"] = package.lineage;
  context.answer(
      value,
      fmt::format("{}:{}  {}  {}\nlabels: {}\ntest accuracy: {:.4f}\ntrained on: {}  run: {}\npackage: {}\n\n{}",
                  version.model, version.version, package.spec.graph.architecture, fmt::join(version.aliases, " "),
                  fmt::join(package.spec.labels, ", "), version.test_accuracy, package.lineage.value("dataset", "-"),
                  version.run, package.folder.string(), format_columns(rows)));
  return {};
}

}  // namespace

void add_model_commands(CLI::App& app, Context& context) {
  auto* models = app.add_subcommand("models", "Registered models");
  models->require_subcommand(1);
  auto* list = models->add_subcommand("list", "All versions with their aliases and accuracy");
  list->footer("Example:\n  imago models list --json");
  list->callback([&context] { context.action = [&context] { return run_list(context); }; });
  auto* show = models->add_subcommand("show", "Layers, shapes, parameters, MACs, labels and lineage of one version");
  auto reference = std::make_shared<std::string>();
  show->add_option("model", *reference, "MODEL, MODEL:VERSION or MODEL:ALIAS")->required();
  show->footer("Example:\n  imago models show cifar10:champion");
  show->callback(
      [&context, reference] { context.action = [&context, reference] { return run_show(context, *reference); }; });
}

}  // namespace imago::app
