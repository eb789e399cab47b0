// SPDX-License-Identifier: Apache-2.0
// /v1/runs: what was trained, with which settings and curves. docs/api/runs.md
#include "serve/api.hpp"
#include "serve/parameters.hpp"

namespace imago::serve {
namespace {

constexpr int kDefaultRuns = 50;
constexpr int kMostRuns = 1000;

json::Value run_json(const tracking::Run& run) {
  const auto text_or_null = [](const std::string& text) { return text.empty() ? json::Value() : json::Value(text); };
  return {{"id", run.id},
          {"kind", run.kind},
          {"status", tracking::to_string(run.status)},
          {"created", run.created},
          {"ended", text_or_null(run.ended)},
          {"error", text_or_null(run.error)},
          {"params", run.params},
          {"summary", run.summary}};
}

Result<json::Value> list_runs(const Api& api, const http::Request& request) {
  TRY(const auto page, page_in(request, kDefaultRuns, kMostRuns));
  TRY(auto runs, api.backend.runs->list(page.limit + 1, page.offset));
  const auto next = end_page(runs, page);
  json::Value rows = json::Value::array();
  for (const auto& run : runs) rows.push_back(run_json(run));
  return json::Value{{"runs", std::move(rows)}, {"next_offset", next}};
}

Result<json::Value> show_run(const Api& api, const std::string& id) {
  TRY(const auto run, api.backend.runs->find(id));
  TRY(const auto series, api.backend.runs->metrics(run.id));
  json::Value value = run_json(run);
  json::Value metrics = json::Value::object();
  for (const auto& [name, points] : series) {
    json::Value column = json::Value::array();
    for (const auto& point : points)
      column.push_back({{"step", point.step}, {"value", point.value}, {"time", point.time}});
    metrics[name] = std::move(column);
  }
  value["metrics"] = std::move(metrics);
  return value;
}

}  // namespace

void add_run_routes(RouteList& routes, const Api& api) {
  if (api.backend.runs == nullptr) return;
  routes.add_blocking("GET", "/v1/runs", Scope::Predict,
                      [api](Reply reply) { reply.send_result(list_runs(api, reply.request())); });
  routes.add_blocking("GET", "/v1/runs/{id}", Scope::Predict,
                      [api](Reply reply) { reply.send_result(show_run(api, reply.request().captures.at("id"))); });
}

}  // namespace imago::serve
