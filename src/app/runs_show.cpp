// SPDX-License-Identifier: Apache-2.0
// imago runs show
#include <algorithm>
#include <cmath>

#include "app/plot.hpp"
#include "app/runs_command.hpp"
#include "app/table.hpp"
#include "base/files.hpp"
#include "tracking/mlflow.hpp"

namespace imago::app {
namespace {

std::string as_text(const json::Value& value) {
  return value.is_string() ? value.get<std::string>() : json::dump(value);
}

/// "-" for what is neither better nor worse, such as a learning rate.
std::string best_of(const std::string& name, std::vector<double> values) {
  std::erase_if(values, [](double value) { return !std::isfinite(value); });
  const bool is_loss = name.find("loss") != std::string::npos;
  if (values.empty() || (!is_loss && name.find("accuracy") == std::string::npos)) return "-";
  return fmt::format("{:.4f}", is_loss ? *std::min_element(values.begin(), values.end())
                                       : *std::max_element(values.begin(), values.end()));
}

/// Where the weights come from, in one place: all that it takes to get them again.
json::Value lineage_of(const tracking::Run& run) {
  json::Value lineage = json::Value::object();
  for (const char* key : {"dataset", "parent", "initial_weights", "initial_weights_sha256", "reproduces",
                          "code_version", "seed", "threads", "machine"}) {
    if (run.params.contains(key) && !run.params[key].is_null()) lineage[key] = run.params[key];
  }
  if (!run.summary.is_object()) return lineage;
  for (const char* key : {"model", "version", "weights_sha256"}) {
    if (run.summary.contains(key)) lineage[key] = run.summary[key];
  }
  return lineage;
}

/// What the run's folder holds, by path inside it.
json::Value files_of(const fs::path& folder) {
  json::Value files = json::Value::object();
  std::error_code error;
  for (auto at = fs::recursive_directory_iterator(folder, error); !error && at != fs::recursive_directory_iterator();
       at.increment(error)) {
    if (at->is_regular_file(error) && at->path().extension() != ".lock")
      files[at->path().lexically_relative(folder).string()] = at->file_size(error);
  }
  return files;
}

std::string head(const tracking::Run& run) {
  std::string text = fmt::format("run {}  {}  {}  created {}  ended {}\n", run.id, run.kind,
                                 tracking::to_string(run.status), run.created, run.ended.empty() ? "-" : run.ended);
  if (!run.error.empty()) text += fmt::format("error: {}\n", run.error);
  if (!run.summary.is_object()) return text;
  for (const auto& [key, value] : run.summary.items())
    if (!value.is_structured()) text += fmt::format("{}: {}\n", key, as_text(value));
  return text;
}

std::string curves(const SeriesByName& metrics) {
  std::string text;
  std::vector<std::vector<std::string>> last{{"METRIC", "POINTS", "FIRST", "BEST", "LAST"}};
  for (const auto& [name, points] : metrics) {
    std::vector<double> values;
    for (const auto& point : points) values.push_back(point.value);
    const auto plotted = is_by_epoch(name) ? plot_blocks(name, values) : "";
    if (!plotted.empty()) text += "\n" + plotted;
    last.push_back({name, std::to_string(points.size()), fmt::format("{:.4f}", values.front()), best_of(name, values),
                    fmt::format("{:.4f}", values.back())});
  }
  return text + (metrics.empty() ? "" : "\n" + format_columns(last));
}

/// What a person wants first, then where it comes from, then the settings, then the curves.
std::string describe(const tracking::Run& run, const json::Value& lineage, const json::Value& files,
                     const SeriesByName& metrics) {
  std::map<std::string, std::string> flat = tracking::mlflow_params(lineage);
  std::vector<std::vector<std::string>> origin{{"LINEAGE", ""}};
  for (const auto& [name, value] : flat) origin.push_back({name, value});
  std::vector<std::vector<std::string>> settings{{"SETTING", "VALUE"}};
  for (const auto& [name, value] : tracking::mlflow_params(run.params))
    if (!flat.contains(name)) settings.push_back({name, value});
  std::string text = head(run) + "\n" + format_columns(origin) + "\n" + format_columns(settings) + curves(metrics);
  if (files.empty()) return text;
  std::vector<std::vector<std::string>> rows{{"FILE", "BYTES"}};
  for (const auto& [path, size] : files.items()) rows.push_back({path, json::dump(size)});
  return text + "\n" + format_columns(rows);
}

/// A panel a measure: those by epoch first, then those by step.
std::vector<evaluate::Panel> panels_of(const SeriesByName& metrics) {
  std::vector<evaluate::Series> by_epoch, by_step;
  for (const auto& [name, points] : metrics)
    (is_by_epoch(name) ? by_epoch : by_step).push_back(as_series(name, points));
  auto panels = evaluate::curve_panels(by_epoch);
  for (auto& panel : evaluate::curve_panels(by_step)) {
    panel.x_label = "step";
    panels.push_back(std::move(panel));
  }
  return panels;
}

json::Value to_json(const SeriesByName& metrics) {
  json::Value value = json::Value::object();
  for (const auto& [name, points] : metrics) {
    json::Value column = json::Value::array();
    for (const auto& point : points)
      column.push_back({{"step", point.step}, {"value", point.value}, {"time", point.time}});
    value[name] = std::move(column);
  }
  return value;
}

}  // namespace

Result<void> show_run(Context& context, const std::string& id, const std::vector<std::string>& pictures) {
  TRY(auto* workspace, context.workspace());
  TRY(const auto run, workspace->runs().find(id));
  TRY(const auto metrics, workspace->runs().metrics(run.id));
  const json::Value lineage = lineage_of(run);
  const json::Value files = files_of(workspace->run_folder(run.id));
  json::Value value = to_json(run);
  value["lineage"] = lineage;
  value["files"] = files;
  value["metrics"] = to_json(metrics);
  std::string text = describe(run, lineage, files, metrics);
  for (const auto& picture : pictures) {
    TRY(const auto bytes, evaluate::encode_picture(evaluate::curves_drawing(panels_of(metrics), "epoch"), picture));
    TRY_VOID(write_file_atomic(picture, bytes));
    value["pictures"].push_back(picture);
    text += fmt::format("\ncurves drawn in {}\n", picture);
  }
  context.answer(value, text);
  return {};
}

}  // namespace imago::app
