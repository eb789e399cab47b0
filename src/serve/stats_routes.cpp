// SPDX-License-Identifier: Apache-2.0
// GET /v1/stats: the last hour as the dashboard draws it, and what each model did since the start.
#include "base/clock.hpp"
#include "serve/api.hpp"
#include "serve/feedback_messages.hpp"
#include "serve/parameters.hpp"

namespace imago::serve {
namespace {

constexpr int kDefaultSeconds = 600;

double milliseconds(std::chrono::microseconds duration) { return static_cast<double>(duration.count()) / 1000.0; }

json::Value to_json(const monitor::HistoryPoint& point) {
  json::Value latency;
  if (point.latency) {
    latency = {{"mean", milliseconds(point.latency->mean)},
               {"p50", milliseconds(point.latency->p50)},
               {"p95", milliseconds(point.latency->p95)},
               {"p99", milliseconds(point.latency->p99)}};
  }
  return {{"time", format_utc(point.time)},   {"requests", point.requests},     {"errors", point.errors},
          {"predictions", point.predictions}, {"throughput", point.throughput}, {"error_rate", point.error_rate()},
          {"latency_ms", std::move(latency)}};
}

json::Value requests_json(const monitor::ModelTotals& totals) {
  json::Value requests = json::Value::object();
  for (std::size_t i = 0; i < monitor::kOutcomes; ++i) {
    const auto [outcome, reason] = monitor::name_of(static_cast<monitor::Outcome>(i));
    auto& count = *reason == '\0' ? requests[outcome] : requests[outcome][reason];
    count = totals.by_outcome[i];
  }
  return requests;
}

json::Value model_json(const monitor::ModelMetrics& model) {
  const auto totals = model.totals();
  json::Value latency;
  if (totals.images > 0) {
    latency = {{"mean", milliseconds(totals.total.mean())},
               {"p50", milliseconds(totals.total.quantile(0.5))},
               {"p95", milliseconds(totals.total.quantile(0.95))},
               {"p99", milliseconds(totals.total.quantile(0.99))}};
  }
  return {{"name", model.name()},
          {"version", model.version()},
          {"requests", requests_json(totals)},
          {"predictions", totals.images},
          {"abstained", totals.unsure + totals.unfamiliar},
          {"latency_ms", std::move(latency)},
          {"mean_ms",
           {{"queue", milliseconds(totals.queue.mean())},
            {"decode", milliseconds(totals.decode.mean())},
            {"preprocess", milliseconds(totals.preprocess.mean())},
            {"infer", milliseconds(totals.infer.mean())}}},
          {"mean_batch", totals.mean_batch()},
          {"in_flight", totals.in_flight},
          {"queue_depth", totals.queue_depth},
          {"last", totals.images > 0 ? json::Value(format_utc(totals.last)) : json::Value()}};
}

/// How often each version was right, as people said afterwards; null where that cannot be read.
json::Value live_accuracy(const Api& api) {
  if (api.backend.database == nullptr) return nullptr;
  const auto accuracy = monitor::FeedbackLog(*api.backend.database).accuracy();
  return accuracy ? serve::to_json(*accuracy) : json::Value();
}

void stats(const Api& api, Reply reply) {
  const monitor::ServerMetrics& metrics = *api.metrics;
  constexpr int kMost = static_cast<int>(monitor::History::kLongest.count());
  const auto seconds = number_in_query(reply.request(), "seconds", kDefaultSeconds, 1, kMost);
  if (!seconds) return reply.fail(seconds.error(), Blame::Request);
  const auto view = metrics.history().last(std::chrono::seconds(*seconds));
  const auto totals = metrics.totals();
  json::Value points = json::Value::array();
  for (const auto& point : view.points) points.push_back(to_json(point));
  if (api.hosting != nullptr) api.hosting->publish_queue_depths();
  json::Value models = json::Value::array();
  for (const auto& model : metrics.models()) models.push_back(model_json(*model));
  reply.send_json({{"interval_seconds", view.interval.count()},
                   {"points", std::move(points)},
                   {"totals",
                    {{"total", totals.requests},
                     {"errors", totals.errors},
                     {"predictions", totals.predictions},
                     {"average_latency_seconds", totals.average_latency_seconds()}}},
                   {"models", std::move(models)},
                   {"feedback", live_accuracy(api)},
                   {"predictions_by_label", metrics.predictions_by_label()},
                   {"uptime_seconds", metrics.history().since_start().count()}});
}

}  // namespace

void add_stats_routes(RouteList& routes, const Api& api) {
  routes.add_blocking("GET", "/v1/stats", Scope::Open, [api](Reply reply) { stats(api, std::move(reply)); });
}

}  // namespace imago::serve
