// SPDX-License-Identifier: Apache-2.0
// Inside app/: the actions behind `imago runs`.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "app/command.hpp"
#include "evaluate/plots.hpp"
#include "tracking/run_store.hpp"

namespace imago::app {

using SeriesByName = std::map<std::string, std::vector<tracking::MetricPoint>>;

json::Value to_json(const tracking::Run& run);
evaluate::Series as_series(const std::string& name, const std::vector<tracking::MetricPoint>& points);
/// Whether a metric has a point an epoch: those of steps have "step/" or "system/" in front.
bool is_by_epoch(const std::string& metric);

Result<void> show_run(Context& context, const std::string& id, const std::vector<std::string>& pictures);
Result<void> compare_runs(Context& context, const std::vector<std::string>& ids, const std::string& picture);
Result<void> reproduce_run(Context& context, const std::string& id, bool force, bool quiet);

struct ListOptions {
  std::string state, data, recipe;
  std::string sort = "created";
  int limit = 50;
};
Result<void> list_runs(Context& context, const ListOptions& options);

struct ExportOptions {
  std::vector<std::string> runs;
  bool mlflow = false;
  std::string uri;  ///< empty: MLFLOW_TRACKING_URI
  bool pending = false;
  std::string csv;
};
Result<void> export_runs(Context& context, const ExportOptions& options);

}  // namespace imago::app
