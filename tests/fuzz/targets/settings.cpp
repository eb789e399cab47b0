// SPDX-License-Identifier: Apache-2.0
// A settings file in YAML, and what it makes of a command's options.
#include "app/settings.hpp"

#include "fuzz/target.hpp"

namespace {

/// It is read by name. One for the whole run.
const imago::fs::path& file() {
  static const auto folder =
      imago::TemporaryDirectory::create(imago::fs::temp_directory_path(), "imago-fuzz-settings").value();
  static const auto path = folder.path() / "imago.yaml";
  return path;
}

}  // namespace

FUZZ_TARGET(settings) {
  EXPECTS(imago::write_file(file(), input), "the temporary folder can be written");
  int port = 0;
  bool quiet = false;
  std::vector<std::string> hosts;
  std::string password;
  CLI::App app;
  auto* serve = app.add_subcommand("serve");
  serve->add_option("--port", port)->check(CLI::Range(1, 65535));
  serve->add_option("--hosts", hosts);
  serve->add_option("--database-password", password);
  app.add_flag("--quiet", quiet);
  imago::app::Settings settings;
  if (!settings.install(app, {"--config", file().string()})) return;
  try {
    app.parse(std::vector<std::string>{"serve"});
  } catch (const CLI::ParseError&) {
    return;
  }
  EXPECTS(port >= 0 && port <= 65535, "a value keeps to its range");
  for (const auto& setting : settings.effective())
    EXPECTS(setting.key != "serve.database-password" || setting.value.empty() || setting.value == "***",
            "no password is shown");
}
