// SPDX-License-Identifier: Apache-2.0
// What every command has: where the state is, how to print, how to be stopped.
#pragma once

#include <CLI/CLI.hpp>
#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "app/terminal.hpp"
#include "base/error.hpp"
#include "json/json.hpp"
#include "pipeline/workspace.hpp"

namespace imago::app {

/// One invocation. Commands set `action`; main runs it after parsing.
struct Context {
  std::string workspace_folder = "workspace";
  std::string database_url;
  bool json = false;
  std::function<Result<void>()> action;

  /// Opens the workspace on first use.
  Result<pipeline::Workspace*> workspace();
  /// A command's answer: `value` with --json, else `text` (which ends in a newline).
  void answer(const json::Value& value, const std::string& text) const;
  [[nodiscard]] ProgressStyle progress() const { return progress_style(json); }

 private:
  std::unique_ptr<pipeline::Workspace> opened_;
};

/// From here on Ctrl-C and SIGTERM only set the flag that stop_requested reads.
void catch_stop_signals();
bool stop_requested();
/// From here on SIGHUP, which else ends a program, only sets the flag that reload_requested takes back.
void catch_reload_signal();
/// Whether there was a SIGHUP since the last call.
bool reload_requested();
/// This process has a terminal, and nobody has closed it: closing one sends SIGHUP, too.
bool has_terminal();
const std::atomic<bool>& stop_flag();

/// For what has libtorch compute: threads that wait for one another give up their core soon, unless the environment
/// says otherwise. libgomp's default, a millisecond or more at each of thousands of meetings a second, made training 4
/// to 9 times slower when the cores had other work. Call it before there are threads.
void wait_politely();

/// The folder of this program: its trainer lies there too.
std::filesystem::path program_folder();
/// imago-trainer beside this program; Unavailable when it is not there.
Result<std::filesystem::path> trainer_program();

void add_data_commands(CLI::App& app, Context& context);
void add_train_command(CLI::App& app, Context& context);
void add_model_commands(CLI::App& app, Context& context);
void add_predict_command(CLI::App& app, Context& context);
void add_evaluate_command(CLI::App& app, Context& context);
void add_compare_command(CLI::App& app, Context& context);
void add_explain_command(CLI::App& app, Context& context);
void add_run_commands(CLI::App& app, Context& context);
void add_recipe_commands(CLI::App& app, Context& context);
void add_serve_command(CLI::App& app, Context& context);
void add_bench_command(CLI::App& app, Context& context);
void add_init_command(CLI::App& app, Context& context);
void add_job_command(CLI::App& app, Context& context);
void add_retrain_command(CLI::App& app, Context& context);
void add_key_commands(CLI::App& app, Context& context);
void add_audit_command(CLI::App& app, Context& context);
void add_completion_commands(CLI::App& app, Context& context);

class Settings;
/// The settings must outlive the context's action.
void add_config_commands(CLI::App& app, Context& context, const Settings& settings);

}  // namespace imago::app
