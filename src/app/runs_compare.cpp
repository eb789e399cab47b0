// SPDX-License-Identifier: Apache-2.0
// imago runs compare
#include <algorithm>
#include <functional>
#include <optional>
#include <set>

#include "app/runs_command.hpp"
#include "app/table.hpp"
#include "base/files.hpp"
#include "tracking/mlflow.hpp"

namespace imago::app {
namespace {

struct Compared {
  tracking::Run run;
  SeriesByName metrics;
  std::map<std::string, std::string> settings;
  std::map<std::string, double> outcomes;  ///< its summary's numbers and each metric's last value
};

std::map<std::string, double> outcomes_of(const tracking::Run& run, const SeriesByName& metrics) {
  std::map<std::string, double> values;
  for (const auto& [name, points] : metrics)
    if (is_by_epoch(name)) values[name] = points.back().value;
  values["seconds"] = tracking::seconds_of(run);
  if (!run.summary.is_object()) return values;
  for (const auto& [key, value] : run.summary.items())
    if (value.is_number_float()) values[key] = value.get<double>();
  return values;
}

Result<Compared> load(pipeline::Workspace& workspace, const std::string& id) {
  Compared one;
  TRY(one.run, workspace.runs().find(id));
  TRY(one.metrics, workspace.runs().metrics(one.run.id));
  one.settings = tracking::mlflow_params(one.run.params);
  one.outcomes = outcomes_of(one.run, one.metrics);
  return one;
}

/// Every name that any has, in order, with what each has of it.
template <class T, class Take>
void each_name(const std::vector<Compared>& runs, std::map<std::string, T> Compared::*part, const Take& take) {
  std::set<std::string> names;
  for (const auto& one : runs)
    for (const auto& [name, value] : one.*part) names.insert(name);
  for (const auto& name : names) {
    std::vector<std::optional<T>> values;
    for (const auto& one : runs) {
      const auto found = (one.*part).find(name);
      values.push_back(found == (one.*part).end() ? std::nullopt : std::optional<T>(found->second));
    }
    take(name, values);
  }
}

using Table = std::vector<std::vector<std::string>>;

void add_settings(const std::vector<Compared>& runs, json::Value& value, Table& table) {
  each_name(runs, &Compared::settings, [&](const std::string& name, const auto& values) {
    if (std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end()) return;
    std::vector<std::string> row{name};
    for (const auto& one : values) {
      value["params"][name].push_back(one ? json::Value(*one) : json::Value());
      row.push_back(one.value_or("-"));
    }
    table.push_back(std::move(row));
  });
  if (table.size() == 1) table.push_back({"(the same settings)"});
}

/// Of two, their difference too.
void add_outcomes(const std::vector<Compared>& runs, json::Value& value, Table& table) {
  each_name(runs, &Compared::outcomes, [&](const std::string& name, const auto& values) {
    std::vector<std::string> row{name};
    for (const auto& one : values) {
      value["metrics"][name].push_back(one ? json::Value(*one) : json::Value());
      row.push_back(one ? fmt::format("{:.4f}", *one) : "-");
    }
    if (values.size() == 2 && values[0] && values[1]) row.push_back(fmt::format("{:+.4f}", *values[1] - *values[0]));
    table.push_back(std::move(row));
  });
}

/// A panel a metric, a line a run. The part of the id after the date tells runs apart.
std::vector<evaluate::Panel> overlaid(const std::vector<Compared>& runs) {
  std::map<std::string, evaluate::Panel> panels;
  for (const auto& one : runs) {
    for (const auto& [name, points] : one.metrics) {
      if (!is_by_epoch(name)) continue;
      panels[name].title = name;
      panels[name].series.push_back(as_series(one.run.id.substr(std::min<std::size_t>(9, one.run.id.size())), points));
    }
  }
  std::vector<evaluate::Panel> list;
  for (auto& [name, panel] : panels) list.push_back(std::move(panel));
  return list;
}

}  // namespace

Result<void> compare_runs(Context& context, const std::vector<std::string>& ids, const std::string& picture) {
  TRY(auto* workspace, context.workspace());
  std::vector<Compared> runs;
  for (const auto& id : ids) {
    TRY(auto one, load(*workspace, id));
    runs.push_back(std::move(one));
  }
  json::Value value{
      {"runs", json::Value::array()}, {"params", json::Value::object()}, {"metrics", json::Value::object()}};
  Table table{{""}};
  for (const auto& one : runs) {
    value["runs"].push_back(one.run.id);
    table.front().push_back(one.run.id);
  }
  if (runs.size() == 2) table.front().emplace_back("DIFFERENCE");
  add_settings(runs, value, table);
  add_outcomes(runs, value, table);
  std::string text = format_columns(table);
  if (!picture.empty()) {
    TRY(const auto bytes, evaluate::encode_picture(evaluate::curves_drawing(overlaid(runs), "epoch"), picture));
    TRY_VOID(write_file_atomic(picture, bytes));
    value["picture"] = picture;
    text += fmt::format("\ncurves drawn in {}\n", picture);
  }
  context.answer(value, text);
  return {};
}

}  // namespace imago::app
