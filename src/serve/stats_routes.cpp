// SPDX-License-Identifier: Apache-2.0
// GET /v1/stats: the last hour as the dashboard draws it.
#include "base/clock.hpp"
#include "serve/api.hpp"
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

void stats(const monitor::ServerMetrics& metrics, Reply reply) {
  constexpr int kMost = static_cast<int>(monitor::History::kLongest.count());
  const auto seconds = number_in_query(reply.request(), "seconds", kDefaultSeconds, 1, kMost);
  if (!seconds) return reply.fail(seconds.error(), Blame::Request);
  const auto view = metrics.history().last(std::chrono::seconds(*seconds));
  const auto totals = metrics.totals();
  json::Value points = json::Value::array();
  for (const auto& point : view.points) points.push_back(to_json(point));
  reply.send_json({{"interval_seconds", view.interval.count()},
                   {"points", std::move(points)},
                   {"totals",
                    {{"total", totals.requests},
                     {"errors", totals.errors},
                     {"predictions", totals.predictions},
                     {"average_latency_seconds", totals.average_latency_seconds()}}},
                   {"predictions_by_label", metrics.predictions_by_label()},
                   {"uptime_seconds", metrics.history().since_start().count()}});
}

}  // namespace

void add_stats_routes(RouteList& routes, const Api& api) {
  routes.add("GET", "/v1/stats", Scope::Open,
             [metrics = api.metrics](Reply reply) { stats(*metrics, std::move(reply)); });
}

}  // namespace imago::serve
