// SPDX-License-Identifier: Apache-2.0
#include "app/usage.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace imago::app {
namespace {

constexpr int kWrongUsage = 2;

/// The last of the commands that were named: of `imago data imprt` that is data.
const CLI::App& innermost(const CLI::App& app) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().back();
  return *at;
}

std::string full_name(const CLI::App& app) {
  return app.get_parent() == nullptr ? "imago" : full_name(*app.get_parent()) + " " + app.get_name();
}

bool is_option(const std::string& word) { return word.starts_with('-'); }

std::vector<std::string> commands_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(command->get_name());
  return names;
}

CLI::Validator number(const char* name, const char* wanted, bool (*fits)(double)) {
  return {[wanted, fits](const std::string& text) -> std::string {
            double value = 0.0;
            if (CLI::detail::lexical_cast(text, value) && std::isfinite(value) && fits(value)) return {};
            return fmt::format("'{}' is not {}", text, wanted);
          },
          name};
}

}  // namespace

int report_usage(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) return app.exit(error);
  const CLI::App& at = innermost(app);
  const bool wants_command = at.get_require_subcommand_min() > 0;
  const auto unknown = app.remaining(true);
  if (wants_command && unknown.empty()) {
    fmt::print(stderr, "{}", app.help());
    return kWrongUsage;
  }
  std::string wrong = error.what();
  if (const auto option = std::ranges::find_if(unknown, is_option); option != unknown.end())
    wrong = fmt::format("no option '{}'", *option);
  if (const auto word = std::ranges::find_if_not(unknown, is_option); wants_command && word != unknown.end())
    wrong = fmt::format("no command '{}'; there are: {}", *word, fmt::join(commands_of(at), ", "));
  const std::string name = full_name(at);
  fmt::print(stderr, "{}: {}\n`{} --help` tells more\n", name, wrong, name);
  return kWrongUsage;
}

CLI::Validator more_than_zero() {
  return number("POSITIVE", "a number above 0", [](double value) { return value > 0.0; });
}

CLI::Validator zero_or_more() {
  return number("NONNEGATIVE", "a number of 0 or more", [](double value) { return value >= 0.0; });
}

}  // namespace imago::app
