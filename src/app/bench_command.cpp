// SPDX-License-Identifier: Apache-2.0
// imago bench: load on a server, or the bare engine.
#include <chrono>
#include <ctime>

#include "app/bench_server.hpp"
#include "app/command.hpp"
#include "app/model_choice.hpp"
#include "load/engine_trial.hpp"
#include "load/report.hpp"

namespace imago::app {
namespace {

constexpr std::array<int, 6> kBatches{1, 2, 4, 8, 16, 32};

json::Value to_json(const load::EngineTrial& trial) {
  return {
      {"batch", trial.batch},   {"workers", trial.workers}, {"images_per_second", trial.rate()},
      {"images", trial.images}, {"wrong", trial.wrong},     {"latency_ms", load::percentiles_json(trial.latencies)}};
}

/// Batches of every size on all cores, then the best of them on half as many.
Result<std::vector<load::EngineTrial>> sweep(const infer::Engine& engine, const image::Preprocess& preprocess,
                                             const load::Pictures& pictures, const std::vector<int>& expected,
                                             double seconds, Progress& progress) {
  const std::chrono::duration<double> each(seconds / (kBatches.size() + 1));
  std::vector<load::EngineTrial> trials;
  const auto run = [&](int batch, int workers) -> Result<void> {
    progress.show(fmt::format("batches of {} on {} threads", batch, workers));
    TRY(const auto trial, load::try_engine(engine, preprocess, pictures, expected, batch, workers, each, stop_flag()));
    trials.push_back(trial);
    return {};
  };
  for (const int batch : kBatches) {
    if (!stop_requested()) TRY_VOID(run(batch, engine.streams()));
  }
  if (!stop_requested() && engine.streams() > 1) TRY_VOID(run(load::advise(trials).max_batch, engine.streams() / 2));
  progress.end();
  return trials;
}

/// What a server could do at most: decode, preprocess and infer, without HTTP.
Result<void> bench_engine(Context& context, const BenchOptions& options) {
  TRY(auto* workspace, context.workspace());
  TRY(const auto version, choose_model(*workspace, options.target));
  TRY(const auto package, workspace->models().open(version));
  TRY(const auto pictures, bench_pictures(context, options, package.spec.preprocess.width));
  TRY(const auto engine, infer::Engine::load(package, {.threads = 1}));
  const auto& preprocess = package.spec.preprocess;
  TRY(const auto expected, load::classes_by_engine(*engine, preprocess, pictures));
  Progress progress(context.progress());
  TRY(const auto trials, sweep(*engine, preprocess, pictures, expected, options.seconds, progress));
  if (trials.empty()) return fail(ErrorCode::Cancelled, "interrupted before anything was measured");
  const auto advice = load::advise(trials);
  json::Value rows = json::Value::array();
  std::uint64_t wrong = 0;
  std::string text =
      fmt::format("{}:{}, {} images, decode + preprocess + infer\n", version.model, version.version, pictures.size());
  for (const auto& trial : trials) {
    wrong += trial.wrong;
    rows.push_back(to_json(trial));
    text += fmt::format("batch {:>3} x {} threads {:>10.1f} images/s   {}\n", trial.batch, trial.workers, trial.rate(),
                        load::percentiles_in_words(trial.latencies));
  }
  text += fmt::format("suggested: imago models batch {} --max-batch {} --workers {} --batch-delay-us {}\n",
                      version.model, advice.max_batch, advice.workers, advice.delay.count());
  context.answer(
      {{"model", version.model},
       {"version", version.version},
       {"trials", std::move(rows)},
       {"suggested",
        {{"max-batch", advice.max_batch}, {"workers", advice.workers}, {"batch-delay-us", advice.delay.count()}}}},
      text);
  if (wrong > 0)
    return fail(ErrorCode::Internal, "{} images are of another class in a batch than they are one by one", wrong);
  return {};
}

Result<void> run_bench(Context& context, const BenchOptions& options) {
  catch_stop_signals();
  return options.target.find("://") == std::string::npos ? bench_engine(context, options)
                                                         : bench_server(context, options);
}

void add_load_options(CLI::App& command, BenchOptions& options) {
  command.add_option("-c,--connections", options.connections, "Connections to the server at most")
      ->check(CLI::Range(1, 20'000))
      ->capture_default_str();
  auto* rate = command
                   .add_option("--rate", options.rate,
                               "Requests a second, sent when they are due whatever comes back; without it each answer "
                               "is followed by the next request")
                   ->check(CLI::Range(0.01, 1e6));
  command.add_option("--pace", options.pace, "Gaps between the requests of --rate: poisson or fixed")
      ->check(CLI::IsMember({"poisson", "fixed"}))
      ->capture_default_str();
  auto* find = command.add_flag("--find-rate", options.find_rate,
                                "Find the highest rate whose 99th percentile stays under --p99");
  command.add_option("--p99", options.p99_ms, "Target of --find-rate in milliseconds")
      ->check(CLI::Range(0.01, 60'000.0))
      ->capture_default_str();
  rate->excludes(find);
}

}  // namespace

void add_bench_command(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("bench", "Measure a server under load, or a model without a server");
  auto options = std::make_shared<BenchOptions>();
  command
      ->add_option("target", options->target,
                   "http://localhost:8000, or MODEL, MODEL:VERSION or MODEL:ALIAS for the engine alone")
      ->required();
  add_load_options(*command, *options);
  command->add_option("--seconds", options->seconds, "How long; with --find-rate, each rate")
      ->check(CLI::Range(0.1, 86'400.0))
      ->capture_default_str();
  command->add_option("--images", options->images,
                      "A folder, or a split of a data set as cifar10:test; without it some are drawn");
  command->add_option("--form", options->form, "How images are sent: multipart, raw or json")
      ->check(CLI::IsMember({"multipart", "raw", "json"}))
      ->capture_default_str();
  command
      ->add_option("--against", options->against,
                   "A model here that must give the same classes, or several versions, each for the answers that name "
                   "it; without it the server's first answers count")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_option("--api-key", options->api_key, "For a server that asks for one");
  command->add_option("--trust", options->trust, "File with the certificate of an https server");
  command->add_flag("--allow-remote", options->allow_remote,
                    "Also load a server that is not on this machine: only one of your own");
  command->footer(
      "Examples:\n"
      "  imago bench http://localhost:8000 --connections 32\n"
      "  imago bench http://localhost:8000 --rate 200 --seconds 60 --images cifar10:test\n"
      "  imago bench http://localhost:8000 --find-rate --p99 20\n"
      "  imago bench cifar10");
  command->callback(
      [&context, options] { context.action = [&context, options] { return run_bench(context, *options); }; });
}

}  // namespace imago::app
