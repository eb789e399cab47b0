// SPDX-License-Identifier: Apache-2.0
// imago serve
#include <charconv>
#include <thread>
#include <vector>

#include "app/certificate_watch.hpp"
#include "app/command.hpp"
#include "app/job_command.hpp"
#include "app/model_watch.hpp"
#include "app/recipes.hpp"
#include "app/serve_access.hpp"
#include "app/service_manager.hpp"
#include "base/log.hpp"
#include "grpc/server.hpp"
#include "http/client.hpp"
#include "serve/service.hpp"

namespace imago::app {
namespace {

constexpr int kJobNiceness = 10;  // requests go first

struct ServeCommandOptions {
  std::vector<std::string> models;
  std::string ab;
  AccessOptions access;
  int workers = 0;
  int max_batch = infer::BatcherOptions{}.max_batch;
  int batch_delay_us = 0;
  int request_timeout_ms = static_cast<int>(serve::PredictorOptions{}.timeout.count());
  std::size_t max_queue = infer::BatcherOptions{}.max_queue;
  double retrain_margin = 0.0;
  std::string metrics_format = "json";
};

struct Challenger {
  std::string reference;  ///< alias or version; empty: none
  double share = 0.0;     ///< of requests, in [0, 1]
};

/// "challenger=10": an alias or a version of the served model, and its share of requests in percent.
Result<Challenger> parse_ab(const std::string& text) {
  if (text.empty()) return Challenger{};
  const auto equals = text.rfind('=');
  const std::string reference = text.substr(0, equals);
  double percent = 0.0;
  bool is_share = false;
  if (equals != std::string::npos) {
    const char* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data() + equals + 1, end, percent);
    is_share = parsed.ec == std::errc() && parsed.ptr == end && percent > 0.0 && percent < 100.0;
  }
  const bool is_version = !reference.empty() && reference.find_first_not_of("0123456789") == std::string::npos;
  if (!is_share || !(is_version || registry::check_alias(reference)))
    return fail(ErrorCode::InvalidArgument,
                "--ab '{}': give an alias or version and its share of requests in percent, above 0 and below 100, as "
                "challenger=10",
                text);
  return Challenger{reference, percent / 100.0};
}

/// Loads the models into a server that is up. Only an empty workspace lets it go on without one; a model that was
/// named, or one that fails its self-test, ends the command.
Result<void> load(ModelWatch& watch) {
  TRY(const auto versions, watch.load());
  for (const auto& version : versions)
    fmt::print("serving {}:{}, test accuracy {:.4f}\n", version.model, version.version, version.test_accuracy);
  if (versions.empty())
    fmt::print(stderr, "imago: no model yet: train one with `imago train`; serving without a model meanwhile\n");
  return {};
}

Result<std::vector<serve::Recipe>> all_recipes() {
  std::vector<serve::Recipe> recipes;
  for (const auto& name : recipe_names()) {
    TRY(auto settings, load_recipe(name));
    recipes.push_back({name, std::move(settings)});
  }
  return recipes;
}

/// What the watchdog wants to know: that the event loops still answer, not only that this thread still runs.
bool answers(const serve::ServeOptions& serving, int port) {
  const std::string& address = serving.http.address;
  const bool everywhere = address == "0.0.0.0" || address == "::";
  const std::string host = everywhere                               ? "127.0.0.1"
                           : address.find(':') == std::string::npos ? address
                                                                    : "[" + address + "]";
  const auto response =
      http::fetch({.url = fmt::format("{}://{}:{}/health", serving.http.tls ? "https" : "http", host, port),
                   .timeout = std::chrono::seconds(2),
                   .any_certificate = true});
  return response && (response->status == 200 || response->status == 429);  // limited, but alive
}

/// Null when it is not wanted.
Result<std::unique_ptr<grpc::Server>> start_grpc(const serve::ServeOptions& serving, const AccessOptions& access,
                                                 serve::Service& service) {
  if (access.grpc_port == 0) return nullptr;
  grpc::ServerOptions options{.address = serving.http.address,
                              .port = access.grpc_port,
                              .max_message_bytes = serving.http.max_body_bytes,
                              .max_messages_bytes = serving.http.max_bodies_bytes};
  if (serving.http.tls) options.tls = {.certificate = access.tls_certificate, .key = access.tls_key};
  return grpc::Server::start(options, service.open_inference());
}

/// Until a signal says to stop.
void watch_over(const serve::ServeOptions& serving, const serve::Service& service, CertificateWatch& certificate,
                grpc::Server* grpc, ServiceManager& manager) {
  const auto status = fmt::format("answering on port {}", service.port());
  manager.ready(status);
  const bool in_terminal = has_terminal();
  while (!stop_requested()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    const bool asked = reload_requested();
    if (asked && in_terminal && !has_terminal()) break;  // it was closed: nobody could stop us with Ctrl-C any more
    if (asked) manager.reloading();
    certificate.look(asked);
    if (asked) manager.ready(status);
    if (grpc != nullptr) grpc->tell_health();
    if (manager.beat_is_due() && answers(serving, service.port())) manager.beat();
  }
  manager.stopping();
}

/// gRPC after the order of HTTP, and beside it.
void drain(const serve::ServeOptions& serving, serve::Service& service, grpc::Server* grpc) {
  if (grpc == nullptr) return service.drain();
  grpc->announce_stop();
  service.drain([&] { grpc->drain(serving.drain_patience); });
}

Result<void> run_serve(Context& context, const ServeCommandOptions& options) {
  wait_politely();  // explanations
  TRY(auto* workspace, context.workspace());
  serve::ServeOptions serving;
  TRY_VOID(apply_access(serving, options.access, workspace->database()));
  configure_logs(options.access);
  TRY(const Challenger challenger, parse_ab(options.ab));
  serving.challenger_share = challenger.share;
  catch_stop_signals();
  catch_reload_signal();
  auto manager = ServiceManager::from_environment();
  auto working = job_worker(context);
  working.niceness = kJobNiceness;
  jobs::JobQueue queue(workspace->database());
  jobs::Worker worker(queue, working);
  serving.batcher.workers = options.workers;
  serving.batcher.max_batch = options.max_batch;
  serving.batcher.max_queue = options.max_queue;
  serving.batcher.max_delay = std::chrono::microseconds(options.batch_delay_us);
  serving.predictor.timeout = std::chrono::milliseconds(options.request_timeout_ms);
  serving.metrics_are_prometheus = options.metrics_format == "prometheus";
  serving.version = IMAGO_VERSION;
  TRY(auto recipes, all_recipes());
  serving.backend = serve::Backend{.database = &workspace->database(),
                                   .datasets = &workspace->datasets(),
                                   .models = &workspace->models(),
                                   .runs = &workspace->runs(),
                                   .workspace = workspace->folder(),
                                   .program = program_folder() / "imago",
                                   .trainer = program_folder() / "imago-trainer",
                                   .jobs = &queue,
                                   .wake_worker = [&worker] { worker.wake(); },
                                   .recipes = std::move(recipes),
                                   .retrain_margin = options.retrain_margin};
  TRY(const auto service, serve::Service::start(serving));
  TRY(const auto grpc, start_grpc(serving, options.access, *service));
  ModelWatch watch(*service, *workspace, options.models, challenger.reference);
  TRY_VOID(load(watch));
  service->set_started();
  watch.start();
  worker.start();
  fmt::print("dashboard and API: {}://{}:{}   (Ctrl-C stops)\n", serving.http.tls ? "https" : "http",
             is_loopback(options.access.listen) ? "localhost" : options.access.listen, service->port());
  const auto ports = service->ports();
  if (ports.size() > 1) fmt::print("also on port {}\n", fmt::join(ports.begin() + 1, ports.end(), ", "));
  if (grpc) fmt::print("Open Inference Protocol over gRPC: port {}\n", grpc->port());
  std::fflush(stdout);
  CertificateWatch certificate(*service, options.access.tls_certificate, options.access.tls_key);
  watch_over(serving, *service, certificate, grpc.get(), manager);
  worker.stop();  // its job goes back to the queue while the last requests are answered
  drain(serving, *service, grpc.get());
  return {};
}

}  // namespace

void add_serve_command(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("serve", "Answer predictions over HTTP and show the dashboard");
  auto options = std::make_shared<ServeCommandOptions>();
  command
      ->add_option(
          "-m,--model", options->models,
          "MODEL, MODEL@3, MODEL@champion, MODEL@latest=2, MODEL@1,3 or MODEL@all; may be given several times, "
          "the first answers /predict; default: the newest model's champion")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_option("--ab", options->ab,
                      "A/B test: an alias or version of the model and its share of predictions in percent, as "
                      "challenger=10");
  add_access_options(*command, options->access);
  command->add_option("--workers", options->workers, "Threads that infer, for all models together; 0: one a core")
      ->check(CLI::Range(0, 256));
  command
      ->add_option("--max-batch", options->max_batch,
                   "Images in one inference at most; 0: by their size, 8 small ones or one of 224 x 224")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command
      ->add_option("--batch-delay-us", options->batch_delay_us,
                   "Microseconds that an image waits for others when it has had company; a lone one never waits")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  command
      ->add_option("--request-timeout-ms", options->request_timeout_ms,
                   "Deadline of a request for a prediction; a client may ask for less with X-Request-Timeout-Ms")
      ->check(CLI::Range(1, 3'600'000))
      ->capture_default_str();
  command->add_option("--max-queue", options->max_queue, "Images that may wait; one more gets a 503")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command
      ->add_option("--retrain-margin", options->retrain_margin,
                   "Test accuracy that a retrained model may lose and still become champion")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command
      ->add_option("--metrics-format", options->metrics_format,
                   "What /metrics is for a client that does not say: json or prometheus")
      ->check(CLI::IsMember({"json", "prometheus"}))
      ->capture_default_str();
  command->footer("Example:\n  imago serve --model cifar10 --port 8080");
  command->callback(
      [&context, options] { context.action = [&context, options] { return run_serve(context, *options); }; });
}

}  // namespace imago::app
