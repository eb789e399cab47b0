// SPDX-License-Identifier: Apache-2.0
// imago config show
#include "app/command.hpp"
#include "app/settings.hpp"
#include "app/table.hpp"

namespace imago::app {
namespace {

struct ConfigOptions {
  std::string command;
  bool changed = false;
};

Result<void> show_config(const Settings& settings, Context& context, const ConfigOptions& options) {
  const std::string& file = settings.file();
  json::Value value{{"file", file.empty() ? json::Value(nullptr) : json::Value(file)}};
  auto& list = value["settings"] = json::Value::array();
  std::vector<std::vector<std::string>> rows{{"SETTING", "VALUE", "FROM", "VARIABLE"}};
  for (const auto& setting : settings.effective()) {
    if (options.changed && setting.source == "default") continue;
    if (!options.command.empty() && !setting.key.starts_with(options.command + ".")) continue;
    list.push_back(
        {{"key", setting.key}, {"value", setting.value}, {"source", setting.source}, {"variable", setting.variable}});
    rows.push_back({setting.key, setting.value.empty() ? "-" : setting.value, setting.source, setting.variable});
  }
  if (!options.command.empty() && list.empty() && !options.changed)
    return fail(ErrorCode::NotFound, "no settings of a command '{}'; `imago config show` lists all", options.command);
  context.answer(value, fmt::format("settings file: {}\n\n{}", file.empty() ? "none" : file, format_columns(rows)));
  return {};
}

}  // namespace

void add_config_commands(CLI::App& app, Context& context, const Settings& settings) {
  auto* config = app.add_subcommand("config", "Settings: what is in force, and where it comes from");
  config->require_subcommand(1);
  auto* show = config->add_subcommand("show", "Every setting with its value and its source");
  auto options = std::make_shared<ConfigOptions>();
  show->add_option("command", options->command, "Only settings of this command, such as serve or data.import");
  show->add_flag("--changed", options->changed, "Only those that differ in source from the default");
  show->footer(
      "Examples:\n  imago config show\n  imago config show serve\n  IMAGO_SERVE_PORT=9000 imago config show --changed");
  show->callback([&settings, &context, options] {
    context.action = [&settings, &context, options] { return show_config(settings, context, *options); };
  });
}

}  // namespace imago::app
