// SPDX-License-Identifier: Apache-2.0
#include "monitor/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <sstream>

#include "base/error.hpp"
#include "monitor/model_series.hpp"
#include "monitor/process.hpp"

namespace imago::monitor {
namespace {

constexpr std::size_t kMaxEndpoints = 100;

const prometheus::Histogram::BucketBoundaries kSeconds{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                       0.05,   0.1,     0.25,   0.5,   1.0,    2.5,   5.0,  10.0};
double seconds(std::chrono::microseconds duration) { return std::chrono::duration<double>(duration).count(); }

prometheus::MetricFamily plain(const char* name, const char* help, prometheus::MetricType type, double value) {
  prometheus::ClientMetric metric;
  metric.counter.value = value;
  metric.gauge.value = value;
  return {name, help, type, {metric}};
}

void append_process(std::vector<prometheus::MetricFamily>& families) {
  using prometheus::MetricType;
  const ProcessUsage usage = process_usage();
  const auto add = [&](const char* name, const char* help, MetricType type, double value) {
    families.push_back(plain(name, help, type, value));
  };
  add("process_cpu_seconds_total", "User and system CPU time.", MetricType::Counter, usage.cpu_seconds);
  add("process_resident_memory_bytes", "Resident memory.", MetricType::Gauge,
      static_cast<double>(usage.resident_bytes));
  add("process_virtual_memory_bytes", "Virtual memory.", MetricType::Gauge, static_cast<double>(usage.virtual_bytes));
  add("process_open_fds", "Open file descriptors.", MetricType::Gauge, static_cast<double>(usage.open_files));
  add("process_max_fds", "Most file descriptors allowed.", MetricType::Gauge, static_cast<double>(usage.max_files));
  add("process_threads", "Threads.", MetricType::Gauge, static_cast<double>(usage.threads));
  add("process_start_time_seconds", "Start of the process, since 1970.", MetricType::Gauge, usage.start_seconds);
}

}  // namespace

struct ServerMetrics::Impl {
  struct Endpoint {
    std::string name;
    prometheus::Histogram* latency = nullptr;
    // By status: counters live as long as the registry, and there are few statuses, so a map a request would be waste.
    std::array<std::atomic<prometheus::Counter*>, 600> by_status{};
  };

  prometheus::Registry registry;
  prometheus::Family<prometheus::Counter>& requests;
  prometheus::Family<prometheus::Histogram>& request_seconds;
  prometheus::Gauge& queue_depth;
  prometheus::Gauge& ready;

  mutable std::shared_mutex mutex;  // guards the next two
  std::map<std::string, std::unique_ptr<Endpoint>, std::less<>> endpoints;
  std::map<std::pair<std::string, int>, std::shared_ptr<ModelMetrics>> models;

  std::atomic<std::int64_t> total_requests{0}, total_errors{0}, latency_microseconds{0};
  History history{system_clock()};

  Impl()
      : requests(prometheus::BuildCounter()
                     .Name("imago_requests_total")
                     .Help("Requests answered, by route and status.")
                     .Register(registry)),
        request_seconds(prometheus::BuildHistogram()
                            .Name("imago_request_seconds")
                            .Help("From the last byte of the request's headers to its answer, by route.")
                            .Register(registry)),
        queue_depth(prometheus::BuildGauge()
                        .Name("imago_queue_depth")
                        .Help("Images waiting for the network.")
                        .Register(registry)
                        .Add({})),
        ready(prometheus::BuildGauge()
                  .Name("imago_ready")
                  .Help("1 when a model is loaded, has passed its self-test and the server is not stopping.")
                  .Register(registry)
                  .Add({})) {}

  Endpoint& endpoint(std::string_view name) {
    {
      const std::shared_lock lock(mutex);
      if (const auto found = endpoints.find(name); found != endpoints.end()) return *found->second;
    }
    const std::unique_lock lock(mutex);
    if (endpoints.size() >= kMaxEndpoints) name = "other";
    auto& entry = endpoints[std::string(name)];
    if (!entry) {
      entry = std::make_unique<Endpoint>();
      entry->name = name;
      entry->latency = &request_seconds.Add({{"endpoint", std::string(name)}}, kSeconds);
    }
    return *entry;
  }
};

ServerMetrics::ServerMetrics(std::string_view version) : impl_(std::make_unique<Impl>()) {
  prometheus::BuildGauge()
      .Name("imago_build_info")
      .Help("Always 1; the version is a label.")
      .Register(impl_->registry)
      .Add({{"version", std::string(version)}})
      .Set(1.0);
}
ServerMetrics::~ServerMetrics() = default;

void ServerMetrics::count_request(std::string_view endpoint, int status, std::chrono::microseconds latency,
                                  bool for_prediction) {
  auto& series = impl_->endpoint(endpoint);
  const auto index = static_cast<std::size_t>(status);
  EXPECTS(index < series.by_status.size(), "an HTTP status");
  auto* counter = series.by_status[index].load(std::memory_order_acquire);
  if (counter == nullptr) {
    // Adding the same labels twice gives the same counter: two threads may race here.
    counter = &impl_->requests.Add({{"endpoint", series.name}, {"status", std::to_string(status)}});
    series.by_status[index].store(counter, std::memory_order_release);
  }
  counter->Increment();
  series.latency->Observe(seconds(latency));
  if (!for_prediction) return;
  impl_->total_requests.fetch_add(1, std::memory_order_relaxed);
  impl_->latency_microseconds.fetch_add(latency.count(), std::memory_order_relaxed);
  if (status >= 400) impl_->total_errors.fetch_add(1, std::memory_order_relaxed);
  impl_->history.record_request(latency, status >= 400);
}

std::shared_ptr<ModelMetrics> ServerMetrics::model(const std::string& name, int version,
                                                   const std::vector<std::string>& labels) {
  const std::unique_lock lock(impl_->mutex);
  auto& model = impl_->models[{name, version}];
  if (!model || model->labels() != labels)
    model = std::make_shared<ModelMetrics>(name, version, labels, impl_->history);
  return model;
}

std::vector<std::shared_ptr<const ModelMetrics>> ServerMetrics::models() const {
  const std::shared_lock lock(impl_->mutex);
  std::vector<std::shared_ptr<const ModelMetrics>> all;
  for (const auto& [key, model] : impl_->models) all.push_back(model);
  return all;
}

void ServerMetrics::set_queue_depth(std::size_t waiting) { impl_->queue_depth.Set(static_cast<double>(waiting)); }
void ServerMetrics::set_ready(bool ready) { impl_->ready.Set(ready ? 1.0 : 0.0); }

Totals ServerMetrics::totals() const {
  Totals totals{.requests = impl_->total_requests,
                .errors = impl_->total_errors,
                .latency_seconds_sum = static_cast<double>(impl_->latency_microseconds) * 1e-6};
  for (const auto& model : models()) totals.predictions += model->totals().images;
  return totals;
}

const History& ServerMetrics::history() const { return impl_->history; }

std::map<std::string, std::int64_t> ServerMetrics::predictions_by_label() const {
  std::map<std::string, std::int64_t> counts;
  for (const auto& model : models()) {
    const auto totals = model->totals();
    for (std::size_t i = 0; i < totals.by_label.size(); ++i) counts[model->labels()[i]] += totals.by_label[i];
  }
  return counts;
}

std::string ServerMetrics::prometheus_text() const {
  auto families = impl_->registry.Collect();
  append_models(models(), families);
  append_process(families);
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, families);
  return std::move(out).str();
}

}  // namespace imago::monitor
