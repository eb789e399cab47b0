// SPDX-License-Identifier: Apache-2.0
// imago init
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

#include "app/command.hpp"
#include "app/embedded_project.hpp"
#include "base/files.hpp"
#include "registry/registry.hpp"

namespace imago::app {
namespace {

constexpr std::string_view kPlaceholder = "@project@";

struct InitOptions {
  std::string folder;
  std::string name;
  bool force = false;
};

/// "My Photos (2026)" -> "my-photos-2026": what its data set and model are called when nobody says.
std::string name_from(const fs::path& folder) {
  std::string name;
  for (const char c : folder.filename().string()) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0) {
      name += static_cast<char>(std::tolower(byte));
    } else if (!name.empty() && name.back() != '-') {
      name += '-';
    }
  }
  while (name.ends_with('-')) name.pop_back();
  return name.empty() ? "images" : name;
}

std::string filled(std::string_view text, const std::string& name) {
  std::string result;
  for (auto at = text.find(kPlaceholder); at != std::string_view::npos; at = text.find(kPlaceholder)) {
    result += text.substr(0, at);
    result += name;
    text.remove_prefix(at + kPlaceholder.size());
  }
  return result.append(text);
}

Result<void> write_project(const fs::path& folder, const std::string& name) {
  for (const auto& file : embedded_project()) {
    const fs::path path = folder / file.path;
    TRY_VOID(make_directories(path.parent_path()));
    TRY_VOID(write_file_atomic(path, filled(file.text, name)));
    std::error_code error;
    if (file.executable)
      fs::permissions(path, fs::perms::owner_exec | fs::perms::group_exec | fs::perms::others_exec,
                      fs::perm_options::add, error);
    if (error) return fail(ErrorCode::Internal, "making {} executable: {}", path.string(), error.message());
  }
  return make_directories(folder / "data" / "raw");
}

Result<void> run_init(Context& context, const InitOptions& options) {
  std::error_code error;
  const fs::path folder = fs::absolute(options.folder, error).lexically_normal();
  const fs::path named = folder.has_filename() ? folder : folder.parent_path();
  const std::string name = options.name.empty() ? name_from(named) : options.name;
  TRY_VOID(registry::check_model_name(name));

  std::vector<std::string> files;
  std::vector<std::string> there;
  for (const auto& file : embedded_project()) {
    files.emplace_back(file.path);
    if (fs::exists(fs::symlink_status(folder / file.path, error))) there.emplace_back(file.path);
  }
  if (!there.empty() && !options.force)
    return fail(ErrorCode::AlreadyExists, "{} has already: {}; nothing was written, --force overwrites them",
                options.folder, fmt::join(there, ", "));
  TRY_VOID(write_project(folder, name));
  context.answer({{"folder", folder.string()}, {"name", name}, {"files", files}, {"overwritten", there}},
                 fmt::format("{}\n\n{} files in {}. Put images into data/raw/CLASS/, then:\n  cd {}\n  git init && dvc "
                             "init && dvc repro\nREADME.md says how it goes on.\n",
                             fmt::join(files, "\n"), files.size(), folder.string(), options.folder));
  return {};
}

}  // namespace

void add_init_command(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand(
      "init", "Write a project: settings, DVC pipeline, compose, monitoring, CI, load test, notebook");
  auto options = std::make_shared<InitOptions>();
  command->add_option("folder", options->folder, "Where; made if it is not there")->required();
  command->add_option("--name", options->name, "What its data set and model are called; default: after the folder");
  command->add_flag("--force", options->force, "Overwrite the project's files that are there already");
  command->footer("Example:\n  imago init pets && cd pets");
  command->callback(
      [&context, options] { context.action = [&context, options] { return run_init(context, *options); }; });
}

}  // namespace imago::app
