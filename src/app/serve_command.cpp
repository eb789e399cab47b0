// SPDX-License-Identifier: Apache-2.0
// imago serve
#include <thread>

#include "app/command.hpp"
#include "app/job_command.hpp"
#include "app/model_choice.hpp"
#include "app/model_watch.hpp"
#include "app/recipes.hpp"
#include "base/log.hpp"
#include "serve/service.hpp"

namespace imago::app {
namespace {

constexpr int kJobNiceness = 10;  // requests go first

struct Options {
  std::string model;
  std::string listen = "127.0.0.1";
  int port = 8000;
  int workers = 0;
  int max_batch = infer::BatcherOptions{}.max_batch;
  std::size_t max_queue = infer::BatcherOptions{}.max_queue;
  std::string log_format = "text";
  bool insecure = false;
};

bool is_loopback(const std::string& address) {
  return address.starts_with("127.") || address == "::1" || address == "localhost";
}

/// Loads the model into a server that is up. Only an empty workspace lets it go on without one; a model that was named,
/// or one that fails its self-test, ends the command.
Result<void> load(ModelWatch& watch, serve::Service& service, pipeline::Workspace& workspace, const Options& options) {
  if (const auto chosen = choose_model(workspace, options.model); !chosen) {
    if (!options.model.empty()) return tl::unexpected<Error>(chosen.error());
    service.set_not_ready(chosen.error().message);
    fmt::print(stderr, "imago: {}; serving without a model meanwhile\n", chosen.error().message);
    return {};
  }
  TRY(const auto version, watch.load());
  fmt::print("serving {}:{}, test accuracy {:.4f}\n", version.model, version.version, version.test_accuracy);
  return {};
}

Result<void> run_serve(Context& context, const Options& options) {
  if (!is_loopback(options.listen) && !options.insecure)
    return fail(ErrorCode::InvalidArgument,
                "--listen {}: anybody on that network could use this server, which asks for no key; say --insecure if "
                "that is wanted",
                options.listen);
  TRY(auto* workspace, context.workspace());
  log::configure(log::Level::Info, options.log_format == "json" ? log::Format::Json : log::Format::Text);
  catch_stop_signals();
  auto working = job_worker(context);
  working.niceness = kJobNiceness;
  jobs::JobQueue queue(workspace->database());
  jobs::Worker worker(queue, working);
  serve::ServeOptions serving;
  serving.http.address = options.listen;
  serving.http.port = options.port;
  serving.batcher.workers = options.workers;
  serving.batcher.max_batch = options.max_batch;
  serving.batcher.max_queue = options.max_queue;
  serving.version = IMAGO_VERSION;
  serving.backend = serve::Backend{.database = &workspace->database(),
                                   .datasets = &workspace->datasets(),
                                   .models = &workspace->models(),
                                   .runs = &workspace->runs(),
                                   .workspace = workspace->folder(),
                                   .program = program_folder() / "imago",
                                   .trainer = program_folder() / "imago-trainer",
                                   .jobs = &queue,
                                   .wake_worker = [&worker] { worker.wake(); },
                                   .recipes = recipe_names()};
  TRY(const auto service, serve::Service::start(serving));
  ModelWatch watch(*service, *workspace, options.model);
  TRY_VOID(load(watch, *service, *workspace, options));
  watch.start();
  worker.start();
  fmt::print("dashboard and API: http://{}:{}   (Ctrl-C stops)\n",
             is_loopback(options.listen) ? "localhost" : options.listen, service->port());
  std::fflush(stdout);
  while (!stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  worker.stop();  // its job goes back to the queue while the last requests are answered
  service->drain();
  return {};
}

}  // namespace

void add_serve_command(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("serve", "Answer predictions over HTTP and show the dashboard");
  auto options = std::make_shared<Options>();
  command->add_option("-m,--model", options->model,
                      "MODEL, MODEL:VERSION or MODEL:ALIAS; default: the newest model's champion");
  command->add_option("-p,--port", options->port, "0: any free one")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  command->add_option("--listen", options->listen, "Address; beyond loopback only with --insecure")
      ->capture_default_str();
  command->add_flag("--insecure", options->insecure, "Listen beyond loopback although the server asks for no key");
  command->add_option("--workers", options->workers, "Threads that infer; 0: one a core")->check(CLI::Range(0, 256));
  command->add_option("--max-batch", options->max_batch, "Images in one inference at most")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command->add_option("--max-queue", options->max_queue, "Images that may wait; one more gets a 503")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command->add_option("--log-format", options->log_format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command->footer("Example:\n  imago serve --model cifar10 --port 8080");
  command->callback(
      [&context, options] { context.action = [&context, options] { return run_serve(context, *options); }; });
}

}  // namespace imago::app
