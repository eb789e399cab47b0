// SPDX-License-Identifier: Apache-2.0
// Where an option's value comes from: its default, a settings file, an IMAGO_* variable, or a flag; the later one wins.
// docs/settings.md is for users.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace YAML {
class Node;
}

namespace imago::app {

/// One option of a command, with its value.
struct Setting {
  std::string key;       ///< "serve.port": commands, then the long option's name
  std::string variable;  ///< "IMAGO_SERVE_PORT"
  std::string value;     ///< as it would be written after the flag; several are joined by ", "
  std::string source;    ///< "default", "flag", "environment", or the settings file's path
};

/// What the settings file and the environment say, and which option each of it is for.
class Settings {
 public:
  /// Adds --config and lets the settings file and the environment change the defaults of every long option in `app`'s
  /// tree. The file is --config's in `arguments`, else IMAGO_CONFIG's, else imago.yaml in the current folder if there
  /// is one. Call it after the last command was added and before parsing: a command's values are set when the command
  /// is met, so that a bad value for another command does no harm; --help shows them as defaults. Both this and `app`
  /// must outlive the parsing.
  /// @error InvalidArgument when the file cannot be read, is no mapping, or names what is no option.
  Result<void> install(CLI::App& app, const std::vector<std::string>& arguments);

  /// Every setting of every command, by key. After parsing. Passwords and keys are shown as "***".
  [[nodiscard]] std::vector<Setting> effective() const;
  /// The settings file in use; empty when there is none.
  [[nodiscard]] const std::string& file() const { return file_; }

 private:
  struct Known {
    CLI::Option* option;
    std::string variable;
  };
  struct Given {
    std::vector<std::string> values;
    std::string source;
  };

  void add_own_options(CLI::App& app, const std::string& prefix);
  void add_commands(CLI::App& app, const std::string& key);
  [[nodiscard]] std::vector<std::string> known_under(const std::string& prefix) const;
  Result<void> read_file();
  Result<void> add_node(const YAML::Node& node, const std::string& prefix);
  void read_environment();
  void apply(const std::string& command) const;

  std::string file_;
  std::map<std::string, Known> known_;  ///< by key
  std::map<std::string, Given> given_;  ///< by key
};

}  // namespace imago::app
