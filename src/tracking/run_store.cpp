// SPDX-License-Identifier: Apache-2.0
#include "tracking/run_store.hpp"

#include <chrono>
#include <cmath>
#include <cstdio>
#include <limits>

#include "base/clock.hpp"
#include "base/rng.hpp"

namespace imago::tracking {
namespace {

constexpr std::string_view kColumns = "id, kind, status, created, ended, error, params, summary";

Result<RunStatus> status_from(const std::string& text) {
  for (const auto status : {RunStatus::Running, RunStatus::Finished, RunStatus::Failed, RunStatus::Interrupted})
    if (text == to_string(status)) return status;
  return fail(ErrorCode::Corrupt, "a run has the unknown status '{}'", text);
}

Result<Run> run_from(const store::Row& row) {
  Run run;
  run.id = row.text("id");
  run.kind = row.text("kind");
  TRY(run.status, status_from(row.text("status")));
  run.created = row.text("created");
  run.ended = row.text("ended");
  run.error = row.text("error");
  TRY(run.params, json::parse(row.text("params")));
  TRY(run.summary, json::parse(row.is_null("summary") ? "null" : row.text("summary")));
  return run;
}

Result<std::vector<Run>> runs_from(const std::vector<store::Row>& rows) {
  std::vector<Run> runs;
  for (const auto& row : rows) {
    TRY(auto run, run_from(row));
    runs.push_back(std::move(run));
  }
  return runs;
}

/// "20261121-041600-3fa9c1": sorts by time, and two in one second differ.
std::string new_id(const std::string& utc) {
  const auto digits = [&](std::size_t from, std::size_t count) { return utc.substr(from, count); };
  return fmt::format("{}{}{}-{}{}{}-{}", digits(0, 4), digits(5, 2), digits(8, 2), digits(11, 2), digits(14, 2),
                     digits(17, 2), random_hex(3));
}

std::string now() { return format_utc(system_clock().wall()); }

std::string ids_of(const std::vector<Run>& runs) {
  std::string text;
  for (const auto& run : runs) text += fmt::format("{}{}", text.empty() ? "" : ", ", run.id);
  return text.empty() ? "none" : text;
}

Result<void> one_changed(Result<std::int64_t> changed, const std::string& run) {
  if (!changed) return pass(changed);
  if (*changed == 0) return fail(ErrorCode::NotFound, "no run '{}'", run);
  return {};
}

}  // namespace

std::string_view to_string(RunStatus status) noexcept {
  switch (status) {
    case RunStatus::Running: return "running";
    case RunStatus::Finished: return "finished";
    case RunStatus::Failed: return "failed";
    case RunStatus::Interrupted: return "interrupted";
  }
  return "failed";
}

std::int64_t milliseconds_of(const std::string& utc) {
  using std::chrono::milliseconds;
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, ms = 0;
  if (std::sscanf(utc.c_str(), "%d-%d-%dT%d:%d:%d.%dZ", &year, &month, &day, &hour, &minute, &second, &ms) < 6)
    return 0;
  const std::chrono::sys_days date{std::chrono::year(year) / month / day};
  const auto time =
      date + std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second) + milliseconds(ms);
  return std::chrono::duration_cast<milliseconds>(time.time_since_epoch()).count();
}

double seconds_of(const Run& run) {
  if (run.summary.is_object()) {
    const auto outcome = run.summary.find("outcome");
    const json::Value& place = outcome != run.summary.end() && outcome->is_object() ? *outcome : run.summary;
    if (const auto found = place.find("seconds"); found != place.end() && found->is_number())
      return found->get<double>();
  }
  if (run.ended.empty() && run.status != RunStatus::Running) return 0.0;
  const std::string end = run.ended.empty() ? now() : run.ended;
  return static_cast<double>(milliseconds_of(end) - milliseconds_of(run.created)) / 1000.0;
}

Result<Run> RunStore::create(const std::string& kind, const json::Value& params) {
  Run run;
  run.created = now();
  run.id = new_id(run.created);
  run.kind = kind;
  run.params = params;
  TRY_VOID(database_.execute("INSERT INTO runs (id, kind, status, created, params) VALUES (:a, :b, 'running', :c, :d)",
                             {run.id, kind, run.created, json::dump(params)}));
  return run;
}

Result<void> RunStore::log_metrics(const std::string& run, std::int64_t step,
                                   const std::map<std::string, double>& values) {
  const std::string time = now();
  return database_.transaction([&](store::Database& inside) -> Result<void> {
    TRY(const auto known, inside.query("SELECT id FROM runs WHERE id = :a", {run}));
    if (known.empty()) return fail(ErrorCode::NotFound, "no run '{}'", run);
    for (const auto& [name, value] : values) {
      const store::Value stored = std::isfinite(value) ? store::Value(value) : store::Value();
      TRY_VOID(inside.execute(
          "INSERT INTO metrics (run, name, step, value, time) VALUES (:a, :b, :c, :d, :e) "
          "ON CONFLICT (run, name, step) DO UPDATE SET value = excluded.value, time = CASE WHEN metrics.value = "
          "excluded.value THEN metrics.time ELSE excluded.time END",
          {run, name, step, stored, time}));
    }
    return {};
  });
}

Result<void> RunStore::finish(const std::string& run, RunStatus status, const json::Value& summary,
                              const std::string& error) {
  return one_changed(
      database_.execute("UPDATE runs SET status = :a, summary = :b, error = :c, ended = :d WHERE id = :e",
                        {std::string(to_string(status)), json::dump(summary), store::text_or_null(error), now(), run}),
      run);
}

Result<void> RunStore::reopen(const std::string& run, const json::Value& params) {
  return one_changed(
      database_.execute("UPDATE runs SET status = 'running', error = NULL, ended = NULL, params = :a WHERE id = :b",
                        {json::dump(params), run}),
      run);
}

Result<std::vector<Run>> RunStore::list(int limit, int offset) {
  if (mark_abandoned_) TRY_VOID(mark_abandoned_());
  TRY(const auto rows,
      database_.query(fmt::format("SELECT {} FROM runs ORDER BY created DESC, id DESC LIMIT :a OFFSET :b", kColumns),
                      {std::int64_t{limit}, std::int64_t{offset}}));
  return runs_from(rows);
}

Result<Run> RunStore::find(const std::string& id) {
  if (mark_abandoned_) TRY_VOID(mark_abandoned_());
  TRY(const auto rows,
      database_.query(
          fmt::format("SELECT {} FROM runs WHERE substr(id, 1, {}) = :a ORDER BY id LIMIT 5", kColumns, id.size()),
          {id}));
  if (!id.empty() && rows.size() == 1) return run_from(rows.front());
  for (const auto& row : rows)
    if (row.text("id") == id) return run_from(row);
  if (!id.empty() && !rows.empty()) {
    TRY(const auto several, runs_from(rows));
    return fail(ErrorCode::InvalidArgument, "'{}' fits several runs: {}", id, ids_of(several));
  }
  TRY(const auto newest, list(5));
  return fail(ErrorCode::NotFound, "no run '{}'; the newest are: {}", id, ids_of(newest));
}

Result<std::map<std::string, std::vector<MetricPoint>>> RunStore::metrics(const std::string& run) {
  TRY(const auto rows,
      database_.query("SELECT name, step, value, time FROM metrics WHERE run = :a ORDER BY name, step", {run}));
  std::map<std::string, std::vector<MetricPoint>> series;
  for (const auto& row : rows) {
    const double value = row.is_null("value") ? std::numeric_limits<double>::quiet_NaN() : row.real("value");
    series[row.text("name")].push_back({row.integer("step"), value, row.text("time")});
  }
  return series;
}

Result<std::map<std::string, MetricRange>> RunStore::ranges(const std::string& metric) {
  TRY(const auto rows, database_.query("SELECT run, COUNT(*) AS points, MIN(value) AS least, MAX(value) AS most FROM "
                                       "metrics WHERE name = :a GROUP BY run",
                                       {metric}));
  std::map<std::string, MetricRange> ranges;
  for (const auto& row : rows) {
    const bool any = !row.is_null("least");
    const double nan = std::numeric_limits<double>::quiet_NaN();
    ranges[row.text("run")] = {row.integer("points"), any ? row.real("least") : nan, any ? row.real("most") : nan};
  }
  return ranges;
}

}  // namespace imago::tracking
