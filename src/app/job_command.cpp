// SPDX-License-Identifier: Apache-2.0
// imago job run: what the server starts for each job. Not for people, who have `imago train` and `imago retrain`.
#include "app/job_command.hpp"

#include <sys/resource.h>

#include <cstdlib>

#include "access/audit.hpp"
#include "app/code_version.hpp"
#include "app/recipes.hpp"
#include "base/log.hpp"
#include "pipeline/job.hpp"

namespace imago::app {
namespace {

void emit(const json::Value& event) {
  fmt::print("{}\n", json::dump(event));
  std::fflush(stdout);
}

Result<json::Value> do_job(Context& context, const std::string& id) {
  TRY(auto* workspace, context.workspace());
  jobs::JobQueue queue(workspace->database());
  TRY(const auto job, queue.find(id));
  const pipeline::JobTools tools{
      .load_recipe = load_recipe, .trainer = program_folder() / "imago-trainer", .code_version = code_version()};
  return pipeline::do_job(*workspace, job, tools, emit, stop_requested);
}

/// Beside a server the trainer's threads must not spin at all while they wait for one another: at low priority, one
/// that spins takes the core from the one it waits for. With two busy processes on two cores that made training 5 to 15
/// times slower.
void wait_without_spinning() {
  if (::getpriority(PRIO_PROCESS, 0) > 0) ::setenv("OMP_WAIT_POLICY", "passive", 0);
}

/// A job may move an alias: the audit log says which one did. Should it take nothing, the job is done all the same.
void note_job(Context& context, const std::string& id, const json::Value& result) {
  const auto workspace = context.workspace();
  if (!workspace || !result.contains("version")) return;
  const auto noted = access::append_audit(
      (*workspace)->database(), {.who = "job " + id,
                                 .via = "server",
                                 .action = "register a trained version",
                                 .target = fmt::format("{}:{}", result.value("model", ""), result.value("version", 0)),
                                 .outcome = "ok"});
  if (!noted) log::warning("the audit log does not have what {} registered: {}", id, noted.error().message);
}

/// Exit status 0 also for a job that failed: its last event says so.
Result<void> run_job(Context& context, const std::string& id) {
  catch_stop_signals();
  wait_without_spinning();
  const auto result = do_job(context, id);
  if (result) {
    note_job(context, id, *result);
    json::Value last{{"event", "result"}};
    last.update(*result);
    emit(last);
  } else if (result.error().code == ErrorCode::Cancelled) {
    emit({{"event", "interrupted"}, {"message", result.error().message}});
  } else {
    emit({{"event", "error"}, {"code", to_string(result.error().code)}, {"message", result.error().message}});
  }
  return {};
}

}  // namespace

jobs::WorkerOptions job_worker(const Context& context) {
  if (!context.database_url.empty()) ::setenv("IMAGO_DATABASE_URL", context.database_url.c_str(), 1);
  jobs::WorkerOptions options;
  options.command = [program = (program_folder() / "imago").string(),
                     workspace = context.workspace_folder](const jobs::Job& job) {
    return std::vector<std::string>{program, "--workspace", workspace, "job", "run", job.id};
  };
  return options;
}

void add_job_command(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("job", "Do queued work")->group("");
  command->require_subcommand(1);
  auto* run = command->add_subcommand("run", "Do one job, printing its events");
  auto id = std::make_shared<std::string>();
  run->add_option("id", *id, "Job id")->required();
  run->footer("Example:\n  imago job run job-20261121-041600-3fa9c1");
  run->callback([&context, id] { context.action = [&context, id] { return run_job(context, *id); }; });
}

}  // namespace imago::app
