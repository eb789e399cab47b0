// SPDX-License-Identifier: Apache-2.0
#include "serve/service.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "serve/arms.hpp"
#include "serve/dashboard.hpp"
#include "serve/negotiate.hpp"
#include "serve/open_inference_rest.hpp"

namespace imago::serve {
namespace {

using std::chrono::steady_clock;

constexpr const char* kAbKeyHeader = "X-AB-Key";
constexpr const char* kPrometheusType = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace

struct Service::Impl {
  Impl(const ServeOptions& serve_options, std::unique_ptr<Gate> opened_gate)
      : options(serve_options),
        metrics(serve_options.version),
        arms(serve_options.challenger_share, serve_options.ab_seed),
        predictor(serve_options.predictor),
        gate(std::move(opened_gate)),
        routes(metrics, pool, *gate,
               {.cors = &options.cors,
                .audited = options.backend ? options.backend->database : nullptr,
                .keep_days = options.keep_audit_days}) {}

  /// Null without a registry.
  std::unique_ptr<Hosting> make_hosting();

  /// The model, or null with the reason why there is none.
  struct Current {
    std::shared_ptr<const LiveModel> model;
    std::string reason;
  };
  Current current() const {
    if (auto main = arms.main()) return {std::move(main), {}};
    const std::scoped_lock lock(mutex);
    return {nullptr, reason};
  }
  /// Empty when ready.
  std::string not_ready_reason() const { return stopping ? "the server is stopping" : current().reason; }

  Result<ModelPool::Model> load(const package::ModelPackage& package, const registry::ModelVersion& version,
                                const infer::BatcherOptions& batching);
  [[nodiscard]] Result<infer::BatcherOptions> batching_of(const registry::ModelVersion& version) const {
    return hosting ? hosting->batching(version.model) : options.batcher;
  }
  void set_reason(std::string why);

  void add_routes();
  void add_asset_routes();

  void predict(Reply reply);
  void predict_many(Reply reply);
  void health(Reply reply);
  void ready(Reply reply);
  void startup(Reply reply);
  void uptime(Reply reply);
  void status(Reply reply);
  void negotiated_metrics(Reply reply);
  void prometheus(Reply reply);
  void index(Reply reply);
  json::Value metrics_json() const;
  double uptime_seconds() const { return std::chrono::duration<double>(steady_clock::now() - started).count(); }

  const ServeOptions options;
  const steady_clock::time_point started = steady_clock::now();
  const WallTime started_wall = system_clock().wall();
  monitor::ServerMetrics metrics;
  std::vector<std::string> endpoints;  // this and the next are set before the server starts
  bool has_dashboard = false;
  std::atomic<bool> started_up{false};
  std::atomic<bool> stopping{false};

  const std::shared_ptr<infer::ComputeBudget> budget = std::make_shared<infer::ComputeBudget>(options.batcher.workers);
  Arms arms;
  ModelPool models{[this](const ModelPool::Model& main) { arms.set_main(main); }};
  std::unique_ptr<Hosting> hosting = make_hosting();
  mutable std::mutex mutex;  // guards reason: why there is no model, while there is none
  std::string reason = "no model yet: train one with `imago train`";

  Predictor predictor;
  OpenInference inference{models, options.predictor};
  OpenInferenceRest rest{inference,
                         {options.version, [this] { return not_ready_reason(); }, options.predictor, hosting.get()}};
  http::WorkPool pool{4, 256};  // what reads files and SQL
  std::unique_ptr<Gate> gate;   // set, as the routes, before the server starts
  RouteList routes;
  std::unique_ptr<http::Server> server;  // last: it goes first, and with it every request
};

void Service::Impl::add_routes() {
  const auto to = [this](void (Impl::*handler)(Reply)) {
    return [this, handler](Reply reply) { (this->*handler)(std::move(reply)); };
  };
  routes.add("GET", "/", Scope::Open, to(&Impl::index));
  for (const char* path : {"/predict", "/v1/predict"})
    routes.add("POST", path, Scope::Predict, to(&Impl::predict), true);
  routes.add("POST", "/v1/predict/many", Scope::Predict, to(&Impl::predict_many), true);
  routes.add("GET", "/health", Scope::Open, to(&Impl::health));
  routes.add("GET", "/ready", Scope::Open, to(&Impl::ready));
  routes.add("GET", "/startup", Scope::Open, to(&Impl::startup));
  routes.add("GET", "/uptime", Scope::Open, to(&Impl::uptime));
  routes.add("GET", "/status", Scope::Open, to(&Impl::status));
  routes.add("GET", "/metrics", Scope::Open, to(&Impl::negotiated_metrics));
  routes.add("GET", "/metrics/prometheus", Scope::Open, to(&Impl::prometheus));
  if (options.backend) {
    const Api api{*options.backend,  [this] { return current().model; }, &metrics, options.version, hosting.get(),
                  predictor.recent()};
    for (const auto add : {add_upload_routes, add_dataset_routes, add_job_routes, add_model_routes, add_alias_routes,
                           add_abstention_routes, add_feedback_routes, add_run_routes, add_audit_routes,
                           add_stats_routes, add_explain_routes, add_recipe_routes, add_documentation_routes}) {
      add(routes, api);
    }
  }
  add_hosting_routes(routes, {models, hosting.get(), predictor});
  rest.add_routes(routes);
  for (const auto& known : routes.routes()) {
    if (std::find(endpoints.begin(), endpoints.end(), known.pattern) == endpoints.end())
      endpoints.push_back(known.pattern);
  }
  add_asset_routes();
}

void Service::Impl::add_asset_routes() {
  for (const auto path : asset_paths()) {
    has_dashboard = has_dashboard || path == kDashboardPage;
    routes.add("GET", std::string(path), Scope::Open,
               [path](Reply reply) { reply.send(asset_response(path, reply.request())); });
  }
}

void Service::Impl::predict(Reply reply) {
  const auto model = arms.choose(reply.request().header(kAbKeyHeader));
  if (!model) return reply.fail({ErrorCode::Unavailable, current().reason}, Blame::Service);
  predictor.predict(model, std::move(reply));
}

void Service::Impl::predict_many(Reply reply) {
  const auto model = arms.choose(reply.request().header(kAbKeyHeader));
  if (!model) return reply.fail({ErrorCode::Unavailable, current().reason}, Blame::Service);
  predictor.predict_many(model, std::move(reply));
}

void Service::Impl::health(Reply reply) { reply.send_json({{"status", "ok"}, {"ready", not_ready_reason().empty()}}); }

void Service::Impl::ready(Reply reply) {
  const std::string why = not_ready_reason();
  if (!why.empty()) {
    http::Response response = error_response(503, "unavailable", why, reply.request_id());
    response.body.replace(0, 1, R"({"ready":false,"status":"not_ready",)");
    return reply.send(std::move(response));
  }
  const auto [model, none] = current();
  reply.send_json({{"ready", true},
                   {"status", "ready"},
                   {"model", model->face()->status["name"]},
                   {"version", model->face()->status["version"]}});
}

void Service::Impl::startup(Reply reply) {
  if (!started_up) return reply.fail({ErrorCode::Unavailable, "models are being loaded"}, Blame::Service);
  reply.send_json({{"status", "started"}});
}

void Service::Impl::uptime(Reply reply) {
  reply.send_json({{"uptime_seconds", uptime_seconds()}, {"started", format_utc(started_wall)}});
}

void Service::Impl::status(Reply reply) {
  const auto [model, none] = current();
  const std::string why = not_ready_reason();
  const auto totals = metrics.totals();
  json::Value value{{"status", why.empty() ? "ready" : "not_ready"}};
  if (!why.empty()) value["reason"] = why;
  value["model"] = model ? model->face()->status : json::Value();
  value["arms"] = arms.describe();
  value["uptime_seconds"] = uptime_seconds();
  value["started"] = format_utc(started_wall);
  value["requests"] = {{"total", totals.requests},
                       {"errors", totals.errors},
                       {"predictions", totals.predictions},
                       {"average_latency_seconds", totals.average_latency_seconds()}};
  value["version"] = options.version;
  reply.send_json(value);
}

json::Value Service::Impl::metrics_json() const {
  const auto totals = metrics.totals();
  json::Value value{{"total_requests", totals.requests},
                    {"average_latency_seconds", totals.average_latency_seconds()},
                    {"prediction_count", totals.predictions},
                    {"error_count", totals.errors},
                    {"uptime_seconds", uptime_seconds()}};
  const auto [model, none] = current();
  if (model) {
    value.update(model->face()->training);
  } else {
    for (const char* key : {"loss", "accuracy", "val_loss", "val_accuracy"}) value[key] = json::Value::array();
    value["training"] = json::Value::object();
  }
  return value;
}

void Service::Impl::negotiated_metrics(Reply reply) {
  const auto otherwise = options.metrics_are_prometheus ? MetricsFormat::Prometheus : MetricsFormat::Json;
  const auto format = metrics_format(reply.request(), otherwise);
  if (!format) return reply.fail(format.error(), Blame::Request);
  if (*format == MetricsFormat::Prometheus) return prometheus(std::move(reply));
  reply.send(
      {.headers = {{"Content-Type", "application/json"}, {"Vary", "Accept"}}, .body = json::dump(metrics_json())});
}

void Service::Impl::prometheus(Reply reply) {
  metrics.set_queue_depth(models.queued() + arms.challenger_queued());
  metrics.set_ready(not_ready_reason().empty());
  reply.send({.headers = {{"Content-Type", kPrometheusType}, {"Vary", "Accept"}}, .body = metrics.prometheus_text()});
}

void Service::Impl::index(Reply reply) {
  if (has_dashboard && accepts_by_name(reply.request().header("Accept"), "text/html")) {
    return reply.send(asset_response(kDashboardPage, reply.request()));
  }
  const json::Value value{{"message", "Image Classification API is running!"},
                          {"name", "imago"},
                          {"version", options.version},
                          {"endpoints", endpoints}};
  reply.send({.headers = {{"Content-Type", "application/json"}, {"Vary", "Accept"}}, .body = json::dump(value)});
}

Service::Service(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Service::~Service() = default;

Result<std::unique_ptr<Service>> Service::start(const ServeOptions& options) {
  TRY(auto gate, Gate::open(options.gate));
  auto impl = std::make_unique<Impl>(options, std::move(gate));
  Impl& self = *impl;
  const auto write_error = [&self](int status, std::string_view text, const http::Request& request) {
    const RequestMark mark = mark_of(request);
    const bool preflight = status == 405 && Cors::is_preflight(request);
    http::Response response = preflight ? self.options.cors.answer_preflight(request)
                                        : error_response(status, code_of_status(status), text, mark.request_id);
    if (status < 500) count_unhandled(*self.gate, request, response, mark.request_id);
    conclude(response, {.request = request, .mark = mark, .for_prediction = request.route == "/predict"},
             &self.options.cors, self.metrics);
    return response;
  };
  impl->add_routes();
  TRY(impl->server, http::Server::start(options.http, impl->routes.routes(), write_error));
  return std::unique_ptr<Service>(new Service(std::move(impl)));
}

int Service::port() const { return impl_->server->port(); }
std::vector<int> Service::ports() const { return impl_->server->ports(); }

Hosting& Service::hosting() {
  EXPECTS(impl_->hosting != nullptr, "a backend with a registry");
  return *impl_->hosting;
}

std::unique_ptr<Hosting> Service::Impl::make_hosting() {
  if (!options.backend || options.backend->models == nullptr) return nullptr;
  return std::make_unique<Hosting>(*options.backend->models, models, *options.backend->database, options.batcher,
                                   [this](const auto& package, const auto& version, const auto& batching) {
                                     return load(package, version, batching);
                                   });
}

Result<ModelPool::Model> Service::Impl::load(const package::ModelPackage& package,
                                             const registry::ModelVersion& version,
                                             const infer::BatcherOptions& batching) {
  set_reason(fmt::format("{} version {} is being loaded", version.model, version.version));
  auto loaded = LiveModel::load(package, version, options.engine, batching, budget, metrics);
  if (!loaded) set_reason(loaded.error().message);
  return loaded;
}

void Service::Impl::set_reason(std::string why) {
  const std::scoped_lock lock(mutex);
  reason = std::move(why);
}

Result<void> Service::load_model(const package::ModelPackage& package, const registry::ModelVersion& version) {
  TRY(const auto batching, impl_->batching_of(version));
  TRY(auto loaded, impl_->load(package, version, batching));
  const auto name = loaded->face()->status["name"].get<std::string>();
  impl_->models.set(name, {{version.version, std::move(loaded)}}, version.version);
  return {};
}

Result<void> Service::load_challenger(const package::ModelPackage& package, const registry::ModelVersion& version) {
  TRY(const auto batching, impl_->batching_of(version));
  auto loaded = impl_->load(package, version, batching);
  if (!loaded) {
    drop_challenger();
    return pass(loaded);
  }
  impl_->arms.set_challenger(std::move(*loaded));
  return {};
}

void Service::drop_challenger() { impl_->arms.set_challenger(nullptr); }

void Service::set_not_ready(std::string reason) { impl_->set_reason(std::move(reason)); }

Result<void> Service::replace_tls(const http::TlsIdentity& identity) { return impl_->server->replace_tls(identity); }

void Service::set_started() { impl_->started_up = true; }

OpenInferenceHost Service::open_inference() {
  return {impl_->inference, impl_->rest.server(), *impl_->gate, impl_->metrics, impl_->pool, impl_->routes.trail()};
}

void Service::drain(const std::function<void()>& others) {
  impl_->stopping = true;
  std::this_thread::sleep_for(impl_->options.unready_wait);
  std::jthread beside;
  if (others) beside = std::jthread(others);
  impl_->server->drain(impl_->options.drain_patience);
}

}  // namespace imago::serve
