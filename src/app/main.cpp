// SPDX-License-Identifier: Apache-2.0
// The command line. Exit status: 0 done, 1 failed (one line on standard error says why), 2 wrong usage.
#include <cstdio>

#include "app/command.hpp"
#include "app/settings.hpp"
#include "app/usage.hpp"
#include "base/log.hpp"

namespace {

using imago::app::Context;

void describe(CLI::App& app, Context& context, const imago::app::Settings& settings) {
  app.description("Imago: data, training, evaluation, registry and serving of image classifiers in one program.");
  app.footer(
      "A whole round:\n"
      "  imago data import cifar10\n"
      "  imago train --data cifar10 --recipe quick\n"
      "  imago serve                        # dashboard on http://localhost:8000");
  app.set_version_flag("--version", "imago " IMAGO_VERSION);
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("-w,--workspace", context.workspace_folder, "Folder with all state: data sets, runs, models")
      ->envname("IMAGO_WORKSPACE")
      ->capture_default_str();
  app.add_option("--database", context.database_url,
                 "sqlite:PATH or postgresql://...; default: imago.db in the workspace")
      ->envname("IMAGO_DATABASE_URL");
  app.add_flag("--json", context.json, "Answer as JSON, without progress");
  imago::app::add_data_commands(app, context);
  imago::app::add_train_command(app, context);
  imago::app::add_model_commands(app, context);
  imago::app::add_predict_command(app, context);
  imago::app::add_evaluate_command(app, context);
  imago::app::add_compare_command(app, context);
  imago::app::add_explain_command(app, context);
  imago::app::add_run_commands(app, context);
  imago::app::add_recipe_commands(app, context);
  imago::app::add_serve_command(app, context);
  imago::app::add_bench_command(app, context);
  imago::app::add_init_command(app, context);
  imago::app::add_job_command(app, context);
  imago::app::add_retrain_command(app, context);
  imago::app::add_key_commands(app, context);
  imago::app::add_audit_command(app, context);
  imago::app::add_config_commands(app, context, settings);
  imago::app::add_completion_commands(app, context);
}

int report(const imago::Error& error, bool as_json) {
  if (as_json) {
    const imago::json::Value value{{"error", error.message}, {"code", imago::to_string(error.code)}};
    fmt::print("{}\n", imago::json::dump(value));
  }
  fmt::print(stderr, "imago: {}\n", error.message);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app;
  Context context;
  imago::app::Settings settings;
  describe(app, context, settings);
  if (const auto installed = settings.install(app, {argv + 1, argv + argc}); !installed) {
    report(installed.error(), false);
    return 2;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return imago::app::report_usage(app, error);
  }
  try {
    const auto done = context.action();
    return done ? 0 : report(done.error(), context.json);
  } catch (const std::exception& error) {  // a bug, or memory ran out: the last place to say so
    return report({imago::ErrorCode::Internal, error.what()}, context.json);
  }
}
