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
#include "monitor/process.hpp"

namespace imago::monitor {
namespace {

constexpr std::size_t kMaxEndpoints = 100;

// From a tenth of a millisecond, where a small network answers, to ten seconds.
const prometheus::Histogram::BucketBoundaries kSeconds{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                       0.05,   0.1,     0.25,   0.5,   1.0,    2.5,   5.0,  10.0};
const prometheus::Histogram::BucketBoundaries kBatchSizes{1, 2, 4, 8, 16, 32, 64, 128};

/// Labels of the series that count outcomes, in the order of Outcome.
constexpr std::array<std::pair<const char*, const char*>, 7> kOutcomes{{{"ok", ""},
                                                                        {"invalid", ""},
                                                                        {"failed", ""},
                                                                        {"rejected", "queue_full"},
                                                                        {"rejected", "displaced"},
                                                                        {"rejected", "decoders_busy"},
                                                                        {"rejected", "deadline"}}};

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

struct ModelMetrics::Series {
  prometheus::Histogram *decode, *preprocess, *queue, *infer, *total, *batch_size;
  std::vector<prometheus::Counter*> by_class;
  std::array<prometheus::Counter*, kOutcomes.size()> by_outcome;
  prometheus::Counter *unsure, *unfamiliar;
  prometheus::Gauge *in_flight, *queue_depth;
  std::atomic<std::int64_t>* predictions;
  History* history;

  mutable std::mutex mutex;  // guards totals
  ModelTotals totals;

  void add(const PredictionTiming& timing) {
    const std::scoped_lock lock(mutex);
    totals.decode += timing.decode;
    totals.preprocess += timing.preprocess;
    totals.queue += timing.queue;
    totals.infer += timing.infer;
    totals.total += timing.total;
    totals.images += 1;
    totals.last = system_clock().wall();
    auto& batches = totals.by_batch_size[timing.batch_size];
    batches.images += 1;
    batches.infer += timing.infer;
  }
};

ModelMetrics::ModelMetrics(std::unique_ptr<Series> series) : series_(std::move(series)) {}
ModelMetrics::~ModelMetrics() = default;

void ModelMetrics::count_prediction(int class_index, const PredictionTiming& timing) {
  const auto index = static_cast<std::size_t>(class_index);
  EXPECTS(index < series_->by_class.size(), "a class of the model");
  series_->by_class[index]->Increment();
  series_->decode->Observe(seconds(timing.decode));
  series_->preprocess->Observe(seconds(timing.preprocess));
  series_->queue->Observe(seconds(timing.queue));
  series_->infer->Observe(seconds(timing.infer));
  series_->total->Observe(seconds(timing.total));
  series_->batch_size->Observe(timing.batch_size);
  series_->predictions->fetch_add(1, std::memory_order_relaxed);
  series_->history->record_prediction();
  series_->add(timing);
}

ModelTotals ModelMetrics::totals() const {
  const std::scoped_lock lock(series_->mutex);
  return series_->totals;
}

void ModelMetrics::count_doubt(model::Doubt doubt) {
  if (doubt == model::Doubt::Confidence) series_->unsure->Increment();
  if (doubt == model::Doubt::Energy) series_->unfamiliar->Increment();
}

void ModelMetrics::count_outcome(Outcome outcome) {
  series_->by_outcome[static_cast<std::size_t>(outcome)]->Increment();
  if (outcome == Outcome::Ok) return;
  const std::scoped_lock lock(series_->mutex);
  series_->totals.failures += 1;
}
void ModelMetrics::set_queue_depth(std::size_t waiting) { series_->queue_depth->Set(static_cast<double>(waiting)); }

ModelMetrics::InFlight::InFlight(std::shared_ptr<ModelMetrics> metrics) : metrics_(std::move(metrics)) {
  metrics_->series_->in_flight->Increment();
}
ModelMetrics::InFlight::~InFlight() {
  if (metrics_) metrics_->series_->in_flight->Decrement();
}

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
  prometheus::Family<prometheus::Counter>& predictions;
  prometheus::Family<prometheus::Counter>& abstentions;
  prometheus::Family<prometheus::Histogram>& stage_seconds;
  prometheus::Family<prometheus::Histogram>& batch_size;
  prometheus::Family<prometheus::Counter>& model_requests;
  prometheus::Family<prometheus::Gauge>& in_flight;
  prometheus::Family<prometheus::Gauge>& model_queue_depth;
  prometheus::Gauge& queue_depth;
  prometheus::Gauge& ready;

  std::shared_mutex mutex;  // guards endpoints
  std::map<std::string, std::unique_ptr<Endpoint>, std::less<>> endpoints;

  std::atomic<std::int64_t> total_requests{0}, total_predictions{0}, total_errors{0}, latency_microseconds{0};
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
        predictions(prometheus::BuildCounter()
                        .Name("imago_predictions_total")
                        .Help("Images classified, by model, version and predicted label.")
                        .Register(registry)),
        abstentions(prometheus::BuildCounter()
                        .Name("imago_abstentions_total")
                        .Help("Images classified but not relied on, by model, version and reason.")
                        .Register(registry)),
        stage_seconds(prometheus::BuildHistogram()
                          .Name("imago_prediction_stage_seconds")
                          .Help("Where the time of a prediction went: decode, preprocess, queue, infer, total.")
                          .Register(registry)),
        batch_size(prometheus::BuildHistogram()
                       .Name("imago_batch_size")
                       .Help("Size of the batch an image was computed in; one observation an image.")
                       .Register(registry)),
        model_requests(prometheus::BuildCounter()
                           .Name("imago_model_requests_total")
                           .Help("Requests for predictions, by model, version, outcome and reason of a rejection.")
                           .Register(registry)),
        in_flight(prometheus::BuildGauge()
                      .Name("imago_in_flight")
                      .Help("Requests for predictions at work, by model and version.")
                      .Register(registry)),
        model_queue_depth(prometheus::BuildGauge()
                              .Name("imago_model_queue_depth")
                              .Help("Images waiting for the network, by model and version.")
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
  const std::map<std::string, std::string> base{{"model", name}, {"version", std::to_string(version)}};
  const auto stage = [&](const char* stage_name) {
    auto with_stage = base;
    with_stage["stage"] = stage_name;
    return &impl_->stage_seconds.Add(with_stage, kSeconds);
  };
  auto series = std::make_unique<ModelMetrics::Series>();
  series->decode = stage("decode");
  series->preprocess = stage("preprocess");
  series->queue = stage("queue");
  series->infer = stage("infer");
  series->total = stage("total");
  series->batch_size = &impl_->batch_size.Add(base, kBatchSizes);
  for (const auto& label : labels) {
    auto with_label = base;
    with_label["label"] = label;
    series->by_class.push_back(&impl_->predictions.Add(with_label));
  }
  for (std::size_t i = 0; i < kOutcomes.size(); ++i) {
    auto with_outcome = base;
    with_outcome["outcome"] = kOutcomes[i].first;
    if (*kOutcomes[i].second != '\0') with_outcome["reason"] = kOutcomes[i].second;
    series->by_outcome[i] = &impl_->model_requests.Add(with_outcome);
  }
  series->in_flight = &impl_->in_flight.Add(base);
  series->queue_depth = &impl_->model_queue_depth.Add(base);
  const auto abstained = [&](model::Doubt doubt) {
    auto with_reason = base;
    with_reason["reason"] = model::to_string(doubt);
    return &impl_->abstentions.Add(with_reason);
  };
  series->unsure = abstained(model::Doubt::Confidence);
  series->unfamiliar = abstained(model::Doubt::Energy);
  series->predictions = &impl_->total_predictions;
  series->history = &impl_->history;
  return std::make_shared<ModelMetrics>(std::move(series));
}

void ServerMetrics::set_queue_depth(std::size_t waiting) { impl_->queue_depth.Set(static_cast<double>(waiting)); }
void ServerMetrics::set_ready(bool ready) { impl_->ready.Set(ready ? 1.0 : 0.0); }

Totals ServerMetrics::totals() const {
  return {.requests = impl_->total_requests,
          .predictions = impl_->total_predictions,
          .errors = impl_->total_errors,
          .latency_seconds_sum = static_cast<double>(impl_->latency_microseconds) * 1e-6};
}

const History& ServerMetrics::history() const { return impl_->history; }

std::map<std::string, std::int64_t> ServerMetrics::predictions_by_label() const {
  std::map<std::string, std::int64_t> counts;
  for (const auto& family : impl_->predictions.Collect()) {
    for (const auto& metric : family.metric) {
      for (const auto& label : metric.label) {
        if (label.name == "label") counts[label.value] += static_cast<std::int64_t>(metric.counter.value);
      }
    }
  }
  return counts;
}

std::string ServerMetrics::prometheus_text() const {
  auto families = impl_->registry.Collect();
  append_process(families);
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, families);
  return std::move(out).str();
}

}  // namespace imago::monitor
