// SPDX-License-Identifier: Apache-2.0
#include "app/settings.hpp"

#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <regex>

namespace imago::app {
namespace {

constexpr const char* kDefaultFile = "imago.yaml";

std::string variable_name(const std::string& key) {
  std::string name = "IMAGO_" + key;
  for (char& c : name) c = c == '.' || c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

/// An empty variable counts as none: that is how a service manager clears one.
const char* variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr || *value == '\0' ? nullptr : value;
}

std::string under(const std::string& prefix, const std::string& name) {
  return prefix.empty() ? name : prefix + "." + name;
}

std::string written(const std::vector<std::string>& values) { return fmt::format("{}", fmt::join(values, ", ")); }

bool is_flag(const CLI::Option& option) { return option.get_expected_min() == 0; }

/// --config must be known before the parser runs: what the file says is what the parser starts from.
std::string choose_file(const std::vector<std::string>& arguments) {
  constexpr std::string_view kFlag = "--config";
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == kFlag && i + 1 < arguments.size()) return arguments[i + 1];
    if (arguments[i].starts_with(fmt::format("{}=", kFlag))) return arguments[i].substr(kFlag.size() + 1);
  }
  if (const char* named = variable("IMAGO_CONFIG")) return named;
  std::error_code error;
  return std::filesystem::is_regular_file(kDefaultFile, error) ? kDefaultFile : "";
}

Result<YAML::Node> read_yaml(const std::string& file) {
  try {
    auto node = YAML::LoadFile(file);
    if (!node.IsMap() && !node.IsNull())
      return fail(ErrorCode::InvalidArgument, "{}: expected settings such as 'serve: {{port: 8080}}'", file);
    return node;
  } catch (const YAML::BadFile&) {
    return fail(ErrorCode::InvalidArgument, "the settings file {} cannot be read", file);
  } catch (const YAML::Exception& error) {
    return fail(ErrorCode::InvalidArgument, "{}: {}", file, error.what());
  }
}

Result<std::vector<std::string>> values_of(const YAML::Node& node, const std::string& file, const std::string& key) {
  std::vector<std::string> values;
  if (node.IsScalar()) values.push_back(node.Scalar());
  for (std::size_t i = 0; node.IsSequence() && i < node.size(); ++i) {
    if (!node[i].IsScalar())
      return fail(ErrorCode::InvalidArgument, "{}: {}: expected a list of plain values", file, key);
    values.push_back(node[i].Scalar());
  }
  if (values.empty()) return fail(ErrorCode::InvalidArgument, "{}: {} has no value", file, key);
  return values;
}

/// For showing: without what opens doors.
std::string without_secrets(const std::string& key, const std::string& value) {
  static const std::regex secret_key("(^|[.-])(api-keys?|keys?|password|secret|token)$");
  static const std::regex password_in_url("(://[^:/@]*:)[^@/]*@");
  if (!value.empty() && std::regex_search(key, secret_key)) return "***";
  return std::regex_replace(value, password_in_url, "$1***@");
}

/// Sets the option's variable as parsing would, but leaves the option unparsed, so that a flag takes its place.
void set_default(CLI::Option& option, const std::vector<std::string>& values, const std::string& told) {
  try {
    option.add_result(is_flag(option) ? std::vector{option.get_flag_value(option.get_lnames().front(), values.front())}
                                      : values);
    option.run_callback();
  } catch (const CLI::ParseError& error) {
    throw CLI::ValidationError(told, error.what());
  }
  option.clear();
  option.default_str(written(values));
  option.required(false);
}

std::vector<CLI::App*> groups_of(CLI::App& app) {
  return app.get_subcommands([](const CLI::App* sub) { return sub->get_name().empty(); });
}

std::vector<CLI::App*> commands_of(CLI::App& app) {
  return app.get_subcommands([](const CLI::App* sub) { return !sub->get_name().empty(); });
}

}  // namespace

void Settings::add_own_options(CLI::App& app, const std::string& prefix) {
  for (auto* option : app.get_options()) {
    if (!option->get_configurable() || option->get_lnames().empty()) continue;
    const std::string key = under(prefix, option->get_lnames().front());
    known_[key] = {option, option->get_envname().empty() ? variable_name(key) : option->get_envname()};
    option->envname("");  // read here, below the flags: the parser would take it for a flag
  }
  for (auto* group : groups_of(app)) add_own_options(*group, prefix);
}

void Settings::add_commands(CLI::App& app, const std::string& key) {
  add_own_options(app, key);
  app.preparse_callback([this, key](std::size_t) { apply(key); });
  for (auto* command : commands_of(app)) add_commands(*command, under(key, command->get_name()));
}

/// What may stand under `prefix` in the file, in order.
std::vector<std::string> Settings::known_under(const std::string& prefix) const {
  std::vector<std::string> names;
  const std::string start = under(prefix, "");
  const std::size_t skip = prefix.empty() ? 0 : prefix.size() + 1;
  for (const auto& [key, option] : known_) {
    if (!prefix.empty() && !key.starts_with(start)) continue;
    names.push_back(key.substr(skip, key.find('.', skip) - skip));
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

Result<void> Settings::add_node(const YAML::Node& node, const std::string& prefix) {
  for (const auto& entry : node) {
    if (!entry.first.IsScalar()) return fail(ErrorCode::InvalidArgument, "{}: a key that is no plain word", file_);
    const std::string key = under(prefix, entry.first.Scalar());
    if (known_.contains(key)) {
      TRY(given_[key].values, values_of(entry.second, file_, key));
      given_[key].source = file_;
      continue;
    }
    const auto below = known_under(key);
    if (below.empty())
      return fail(ErrorCode::InvalidArgument, "{}: '{}' is no setting; known{}: {}", file_, key,
                  prefix.empty() ? "" : " under " + prefix, fmt::join(known_under(prefix), ", "));
    if (!entry.second.IsMap() && !entry.second.IsNull())
      return fail(ErrorCode::InvalidArgument, "{}: '{}' has settings of its own and no value; known: {}", file_, key,
                  fmt::join(below, ", "));
    if (entry.second.IsMap()) TRY_VOID(add_node(entry.second, key));
  }
  return {};
}

Result<void> Settings::read_file() {
  if (file_.empty()) return {};
  TRY(const auto node, read_yaml(file_));
  return node.IsMap() ? add_node(node, "") : Result<void>{};
}

void Settings::read_environment() {
  for (const auto& [key, setting] : known_)
    if (const char* value = variable(setting.variable)) given_[key] = {{value}, "environment"};
}

/// Sets what was given for the options of one command itself.
void Settings::apply(const std::string& command) const {
  for (const auto& [key, given] : given_) {
    const auto dot = key.rfind('.');
    if ((dot == std::string::npos ? "" : key.substr(0, dot)) != command) continue;
    const auto& known = known_.at(key);
    const bool from_file = given.source == file_;
    set_default(*known.option, given.values, from_file ? fmt::format("{}: {}", file_, key) : known.variable);
  }
}

Result<void> Settings::install(CLI::App& app, const std::vector<std::string>& arguments) {
  file_ = choose_file(arguments);
  app.add_option("--config", "Settings file; default: imago.yaml in the current folder, if there is one")
      ->type_name("FILE")
      ->configurable(false);
  add_commands(app, "");
  TRY_VOID(read_file());
  read_environment();
  return {};
}

std::vector<Setting> Settings::effective() const {
  std::vector<Setting> settings;
  for (const auto& [key, known] : known_) {
    auto* option = known.option;
    Setting effective{.key = key, .variable = known.variable, .value = "", .source = "default"};
    if (option->count() > 0) {
      effective.value = written(option->results());
      effective.source = "flag";
    } else if (const auto found = given_.find(key); found != given_.end()) {
      effective.value = written(found->second.values);
      effective.source = found->second.source;
    } else {
      option->capture_default_str();
      effective.value = is_flag(*option) ? "false" : option->get_default_str();
    }
    if (effective.value == "[]") effective.value.clear();  // how the parser writes a list without values
    effective.value = without_secrets(key, effective.value);
    settings.push_back(std::move(effective));
  }
  return settings;
}

}  // namespace imago::app
