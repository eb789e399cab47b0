// SPDX-License-Identifier: Apache-2.0
#include "app/bench_server.hpp"

#include <chrono>
#include <ctime>

#include "app/serve_access.hpp"
#include "base/files.hpp"
#include "http/client.hpp"
#include "infer/engine.hpp"
#include "load/engine_trial.hpp"
#include "load/find_rate.hpp"
#include "load/http_transport.hpp"
#include "load/report.hpp"
#include "load/server_view.hpp"

namespace imago::app {
namespace {

constexpr std::size_t kPictures = 256;
constexpr int kDrawnSide = 32;
constexpr double kPrecision = 0.02;  // of --find-rate

load::Form form_of(const std::string& name) {
  return name == "raw" ? load::Form::Raw : name == "json" ? load::Form::Json : load::Form::Multipart;
}

/// A load generator aimed at somebody else's machine is an attack. Names but localhost are not looked up: what stands
/// for loopback today may stand for another machine tomorrow.
Result<void> check_address(const BenchOptions& options) {
  TRY(const auto host, http::host_of(options.target));
  if (is_loopback(host)) return {};
  if (!options.allow_remote)
    return fail(ErrorCode::InvalidArgument,
                "{} is not this machine: a load test may bring it down. With --allow-remote it is done; only on a "
                "server of your own",
                host);
  fmt::print(stderr, "imago: sending as many requests as it takes to {}, which is not this machine\n", host);
  return {};
}

/// Zeros where the server has no such metrics.
load::ServerView look_at(const BenchOptions& options) {
  const auto url = options.target.substr(0, options.target.find_last_not_of('/') + 1) + "/metrics/prometheus";
  const auto response = http::fetch({.url = url});
  return response && response->status == 200 ? load::read_prometheus(response->body) : load::ServerView{};
}

/// What the server says at first, or the models of this workspace that are named.
Result<load::Expected> expected_answers(Context& context, const BenchOptions& options, load::Transport& transport,
                                        const load::Pictures& pictures) {
  if (options.against.empty()) {
    TRY(auto classes, load::ask_classes(transport, pictures.size(), stop_flag()));
    return load::Expected(std::move(classes));
  }
  TRY(auto* workspace, context.workspace());
  std::map<int, std::vector<int>> by_version;
  for (const auto& reference : options.against) {
    TRY(const auto version, workspace->models().resolve(reference));
    TRY(const auto package, workspace->models().open(version));
    TRY(const auto engine, infer::Engine::load(package));
    TRY(by_version[version.version], load::classes_by_engine(*engine, package.spec.preprocess, pictures));
  }
  if (by_version.size() > 1) return load::Expected(std::move(by_version));
  return load::Expected(std::move(by_version.begin()->second));
}

/// One bench of a server.
class ServerBench {
 public:
  ServerBench(Context& context, const BenchOptions& options, load::Transport& transport, load::Expected expected)
      : context_(context),
        options_(options),
        transport_(transport),
        expected_(std::move(expected)),
        progress_(context.progress()) {}

  load::Measured measure(double rate, double patience) {
    const load::Plan plan{.seconds = std::chrono::duration<double>(options_.seconds),
                          .rate = rate,
                          .pace = options_.pace == "fixed" ? load::Pace::Fixed : load::Pace::Poisson,
                          .patience = std::chrono::duration<double>(patience)};
    auto measured = load::drive(transport_, plan, expected_, system_clock(), stop_flag(), [&](const auto& so_far) {
      progress_.show(fmt::format("{:.0f} s  {:.0f}/s  p99 {:.2f} ms{}", so_far.seconds, so_far.throughput(),
                                 static_cast<double>(so_far.latencies.quantile(0.99).count()) / 1000.0,
                                 so_far.failed + so_far.wrong > 0 ? "  (some failed)" : ""));
    });
    progress_.end();
    return measured;
  }

  Result<void> at_one_rate();
  Result<void> search();

 private:
  [[nodiscard]] Result<void> verdict(const load::Measured& measured) const {
    if (measured.wrong > 0) return fail(ErrorCode::Internal, "{} answers were wrong", measured.wrong);
    if (measured.failed > 0)
      return fail(ErrorCode::Unavailable, "{} requests failed: {}", measured.failed, measured.first_problem);
    if (measured.right == 0) return fail(ErrorCode::Cancelled, "interrupted before anything was answered");
    return {};
  }

  Context& context_;
  const BenchOptions& options_;
  load::Transport& transport_;
  const load::Expected expected_;
  Progress progress_;
};

Result<void> ServerBench::at_one_rate() {
  const auto before = look_at(options_);
  const std::clock_t own_before = std::clock();
  const auto measured = measure(options_.rate, 10.0);
  const double own_cpu = static_cast<double>(std::clock() - own_before) / CLOCKS_PER_SEC;
  const auto view = load::difference(look_at(options_), before);
  const auto share = [&](double cpu) { return measured.seconds > 0.0 ? cpu / measured.seconds : 0.0; };
  json::Value value = load::to_json(measured);
  value["connections"] = options_.connections;
  value["cores"] = {{"client", share(own_cpu)}, {"server", share(view.cpu_seconds)}};
  std::string text = load::in_words(measured);
  text += fmt::format("cores used: {:.2f} by this command, {:.2f} by the server\n", share(own_cpu),
                      share(view.cpu_seconds));
  if (view.images > 0.0) {
    value["server"] = load::to_json(view);
    text += load::in_words(view);
    text += load::advice_for_server(view) + "\n";
    value["advice"] = load::advice_for_server(view);
  }
  context_.answer(value, text);
  return verdict(measured);
}

Result<void> ServerBench::search() {
  const auto capacity = measure(0.0, 10.0);
  TRY_VOID(verdict(capacity));
  json::Value rows = json::Value::array();
  const auto trial = [&](double rate) -> Result<load::RateTrial> {
    const auto measured = measure(rate, 1.0);
    if (stop_requested()) return fail(ErrorCode::Cancelled, "interrupted");
    if (measured.wrong > 0) TRY_VOID(verdict(measured));
    const double p99 = static_cast<double>(measured.latencies.quantile(0.99).count()) / 1000.0;
    const bool held = p99 <= options_.p99_ms && measured.failed == 0 && measured.unsent == 0;
    progress_.print(fmt::format("{:>9.1f}/s  p99 {:>8.2f} ms  {}", rate, p99, held ? "held" : "not held"));
    rows.push_back(load::to_json(measured));
    return load::RateTrial{rate, p99, held};
  };
  const auto found = load::find_rate(capacity.throughput(), kPrecision, trial);
  if (!found && !stop_requested()) return tl::unexpected<Error>(found.error());
  std::string text =
      fmt::format("{:.1f} answers/s in a closed loop of {} connections\n", capacity.throughput(), options_.connections);
  text += found
              ? fmt::format("{:.1f} requests/s with the 99th percentile under {:g} ms\n", found->rate, options_.p99_ms)
              : "interrupted: no rate was found\n";
  context_.answer({{"closed_loop", load::to_json(capacity)},
                   {"p99_target_ms", options_.p99_ms},
                   {"rate", found ? json::Value(found->rate) : json::Value()},
                   {"trials", std::move(rows)}},
                  text);
  return {};
}

}  // namespace

Result<load::Pictures> bench_pictures(Context& context, const BenchOptions& options, int side) {
  if (options.images.empty()) return load::drawn_pictures(std::clamp(side, 16, 512), kPictures);
  if (std::error_code error; fs::is_directory(options.images, error))
    return load::pictures_in_folder(options.images, kPictures);
  TRY(auto* workspace, context.workspace());
  return load::pictures_of_dataset(workspace->datasets(), options.images, kPictures);
}

Result<void> bench_server(Context& context, const BenchOptions& options) {
  TRY_VOID(check_address(options));
  TRY(const auto pictures, bench_pictures(context, options, kDrawnSide));
  const load::HttpTarget target{
      .url = options.target, .api_key = options.api_key, .trust = options.trust, .form = form_of(options.form)};
  TRY(const auto transport, load::HttpTransport::open(target, options.connections, pictures));
  TRY(auto expected, expected_answers(context, options, *transport, pictures));
  ServerBench bench(context, options, *transport, std::move(expected));
  return options.find_rate ? bench.search() : bench.at_one_rate();
}

}  // namespace imago::app
