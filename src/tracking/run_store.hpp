// SPDX-License-Identifier: Apache-2.0
// Runs: what was tried, with which settings, and what came of it.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "json/json.hpp"
#include "store/database.hpp"

namespace imago::tracking {

enum class RunStatus { Running, Finished, Failed, Interrupted };
std::string_view to_string(RunStatus status) noexcept;

struct Run {
  std::string id;    ///< "20261121-041600-3fa9c1"
  std::string kind;  ///< "train"
  RunStatus status = RunStatus::Running;
  std::string created, ended;  ///< RFC 3339; ended may be empty
  std::string error;
  json::Value params;   ///< the whole effective recipe, dataset, seed, code version
  json::Value summary;  ///< at the end: accuracies, seconds, model version
};

struct MetricPoint {
  std::int64_t step = 0;
  double value = 0.0;
  std::string time;
};

/// One metric over a run.
struct MetricRange {
  std::int64_t points = 0;
  double least = 0.0, most = 0.0;  ///< of the finite ones; NaN when there is none
};

/// "2026-11-21T04:16:00.123Z" in ms since 1970; 0 when it is none.
std::int64_t milliseconds_of(const std::string& utc);
/// How long it trained, where its summary says so; else from created to ended, or until now while it is running.
double seconds_of(const Run& run);

/// Safe from any thread.
class RunStore {
 public:
  /// Marks the runs whose process has died; see watch_owners.
  using MarkAbandoned = std::function<Result<void>()>;

  explicit RunStore(store::Database& database) : database_(database) {}

  /// From now on list and find call this first, so that nobody is told that a dead run is running. Before there are
  /// other threads.
  void watch_owners(MarkAbandoned mark_abandoned) { mark_abandoned_ = std::move(mark_abandoned); }

  Result<Run> create(const std::string& kind, const json::Value& params);
  /// A step logged again (by a run that was resumed) replaces what was there, and keeps its time when it came out the
  /// same; a value that is not finite is kept as NaN. NotFound when there is no such run.
  Result<void> log_metrics(const std::string& run, std::int64_t step, const std::map<std::string, double>& values);
  Result<void> finish(const std::string& run, RunStatus status, const json::Value& summary,
                      const std::string& error = "");
  /// Back to running, with these params from here on: a run that is resumed.
  Result<void> reopen(const std::string& run, const json::Value& params);
  /// Newest first.
  Result<std::vector<Run>> list(int limit = 50, int offset = 0);
  /// By id or a unique prefix of it. NotFound lists the newest ones; InvalidArgument when the prefix fits several.
  Result<Run> find(const std::string& id);
  Result<std::map<std::string, std::vector<MetricPoint>>> metrics(const std::string& run);
  /// By run, of all that have this metric.
  Result<std::map<std::string, MetricRange>> ranges(const std::string& metric);

 private:
  store::Database& database_;
  MarkAbandoned mark_abandoned_;
};

}  // namespace imago::tracking
