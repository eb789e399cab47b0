// SPDX-License-Identifier: Apache-2.0
// imago runs list | show | compare | export
#include <algorithm>
#include <cmath>
#include <set>

#include "app/command.hpp"
#include "app/plot.hpp"
#include "app/table.hpp"
#include "base/files.hpp"
#include "evaluate/plots.hpp"
#include "pipeline/run_results.hpp"

namespace imago::app {
namespace {

using SeriesByName = std::map<std::string, std::vector<tracking::MetricPoint>>;

json::Value to_json(const tracking::Run& run) {
  return {{"run", run.id},          {"kind", run.kind},      {"status", tracking::to_string(run.status)},
          {"created", run.created}, {"ended", run.ended},    {"error", run.error},
          {"params", run.params},   {"summary", run.summary}};
}

Result<void> list_runs(Context& context, int limit) {
  TRY(auto* workspace, context.workspace());
  TRY(const auto runs, workspace->runs().list(limit));
  json::Value value = json::Value::array();
  std::vector<std::vector<std::string>> rows{
      {"RUN", "KIND", "STATUS", "DATA SET", "RECIPE", "TEST ACCURACY", "CREATED"}};
  for (const auto& run : runs) {
    value.push_back(to_json(run));
    const bool measured = run.summary.is_object() && run.summary.contains("test_accuracy");
    rows.push_back({run.id, run.kind, std::string(tracking::to_string(run.status)), run.params.value("dataset", "-"),
                    run.params.contains("recipe") ? run.params["recipe"].value("name", "-") : "-",
                    measured ? fmt::format("{:.4f}", run.summary["test_accuracy"].get<double>()) : "-", run.created});
  }
  context.answer(value, runs.empty() ? "no runs yet: start one with `imago train`\n" : format_columns(rows));
  return {};
}

std::vector<evaluate::Series> as_series(const SeriesByName& metrics) {
  std::vector<evaluate::Series> series;
  for (const auto& [name, points] : metrics) {
    evaluate::Series one{name, {}};
    for (const auto& point : points) one.points.emplace_back(static_cast<double>(point.step), point.value);
    series.push_back(std::move(one));
  }
  return series;
}

/// "-" for what is neither better nor worse, such as a learning rate.
std::string best_of(const std::string& name, std::vector<double> values) {
  std::erase_if(values, [](double value) { return !std::isfinite(value); });
  const bool is_loss = name.find("loss") != std::string::npos;
  if (values.empty() || (!is_loss && name.find("accuracy") == std::string::npos)) return "-";
  return fmt::format("{:.4f}", is_loss ? *std::min_element(values.begin(), values.end())
                                       : *std::max_element(values.begin(), values.end()));
}

/// What a person wants first, then the settings, then the curves.
std::string describe(const tracking::Run& run, const SeriesByName& metrics) {
  std::vector<std::vector<std::string>> params{{"SETTING", "VALUE"}};
  for (const auto& [name, value] : tracking::mlflow_params(run.params)) params.push_back({name, value});
  std::string text = fmt::format("run {}  {}  {}  created {}  ended {}\n", run.id, run.kind,
                                 tracking::to_string(run.status), run.created, run.ended.empty() ? "-" : run.ended);
  if (!run.error.empty()) text += fmt::format("error: {}\n", run.error);
  if (run.summary.is_object()) {
    for (const auto& [key, value] : run.summary.items())
      if (!value.is_structured())
        text += fmt::format("{}: {}\n", key, value.is_string() ? value.get<std::string>() : json::dump(value));
  }
  text += "\n" + format_columns(params);
  std::vector<std::vector<std::string>> last{{"METRIC", "STEPS", "FIRST", "BEST", "LAST"}};
  for (const auto& [name, points] : metrics) {
    std::vector<double> values;
    for (const auto& point : points) values.push_back(point.value);
    const auto plotted = plot_blocks(name, values);
    if (!plotted.empty()) text += "\n" + plotted;
    last.push_back({name, std::to_string(points.size()), fmt::format("{:.4f}", values.front()), best_of(name, values),
                    fmt::format("{:.4f}", values.back())});
  }
  return text + (metrics.empty() ? "" : "\n" + format_columns(last));
}

Result<void> show_run(Context& context, const std::string& id, const std::string& svg) {
  TRY(auto* workspace, context.workspace());
  TRY(const auto run, workspace->runs().find(id));
  TRY(const auto metrics, workspace->runs().metrics(run.id));
  json::Value value = to_json(run);
  value["metrics"] = json::Value::object();
  for (const auto& [name, points] : metrics) {
    json::Value column = json::Value::array();
    for (const auto& point : points)
      column.push_back({{"step", point.step}, {"value", point.value}, {"time", point.time}});
    value["metrics"][name] = std::move(column);
  }
  std::string text = describe(run, metrics);
  if (!svg.empty()) {
    TRY_VOID(write_file_atomic(svg, evaluate::draw_curves(evaluate::curve_panels(as_series(metrics)), "epoch")));
    value["svg"] = svg;
    text += fmt::format("\ncurves drawn in {}\n", svg);
  }
  context.answer(value, text);
  return {};
}

/// What a run came to, by name: its summary's numbers and each metric's last value.
std::map<std::string, double> outcomes(const tracking::Run& run, const SeriesByName& metrics) {
  std::map<std::string, double> values;
  for (const auto& [name, points] : metrics) values[name] = points.back().value;
  if (run.summary.is_object()) {
    for (const auto& [key, value] : run.summary.items())
      if (value.is_number_float()) values[key] = value.get<double>();
  }
  return values;
}

/// The names of both in order, each with what either has of it.
template <class T, class Describe>
void compare_rows(const std::map<std::string, T>& a, const std::map<std::string, T>& b, const Describe& row) {
  std::set<std::string> names;
  for (const auto* side : {&a, &b})
    for (const auto& [name, value] : *side) names.insert(name);
  for (const auto& name : names) {
    const auto in_a = a.find(name);
    const auto in_b = b.find(name);
    row(name, in_a == a.end() ? nullptr : &in_a->second, in_b == b.end() ? nullptr : &in_b->second);
  }
}

Result<void> compare_runs(Context& context, const std::string& first, const std::string& second) {
  TRY(auto* workspace, context.workspace());
  TRY(const auto a, workspace->runs().find(first));
  TRY(const auto b, workspace->runs().find(second));
  TRY(const auto metrics_a, workspace->runs().metrics(a.id));
  TRY(const auto metrics_b, workspace->runs().metrics(b.id));

  json::Value value{{"a", a.id}, {"b", b.id}, {"params", json::Value::object()}, {"metrics", json::Value::object()}};
  std::vector<std::vector<std::string>> rows{{"", a.id, b.id, "DIFFERENCE"}};
  compare_rows(tracking::mlflow_params(a.params), tracking::mlflow_params(b.params),
               [&](const std::string& name, const std::string* in_a, const std::string* in_b) {
                 if (in_a != nullptr && in_b != nullptr && *in_a == *in_b) return;
                 value["params"][name] = {{"a", in_a != nullptr ? json::Value(*in_a) : json::Value()},
                                          {"b", in_b != nullptr ? json::Value(*in_b) : json::Value()}};
                 rows.push_back({name, in_a != nullptr ? *in_a : "-", in_b != nullptr ? *in_b : "-", ""});
               });
  if (rows.size() == 1) rows.push_back({"(the same settings)", "", "", ""});
  compare_rows(outcomes(a, metrics_a), outcomes(b, metrics_b),
               [&](const std::string& name, const double* in_a, const double* in_b) {
                 const bool both = in_a != nullptr && in_b != nullptr;
                 value["metrics"][name] = {{"a", in_a != nullptr ? json::Value(*in_a) : json::Value()},
                                           {"b", in_b != nullptr ? json::Value(*in_b) : json::Value()}};
                 rows.push_back({name, in_a != nullptr ? fmt::format("{:.4f}", *in_a) : "-",
                                 in_b != nullptr ? fmt::format("{:.4f}", *in_b) : "-",
                                 both ? fmt::format("{:+.4f}", *in_b - *in_a) : ""});
               });
  context.answer(value, format_columns(rows));
  return {};
}

Result<void> export_run(Context& context, const std::string& id, const std::string& uri) {
  TRY(auto* workspace, context.workspace());
  TRY(const auto run, workspace->runs().find(id));
  TRY(auto from_environment, uri.empty() ? tracking::mlflow_from_environment() : tracking::mlflow_login(uri));
  if (!from_environment)
    return fail(ErrorCode::InvalidArgument,
                "where to? Name the server with --mlflow http://HOST:PORT or in MLFLOW_TRACKING_URI");
  const std::string address = from_environment->uri;
  auto page = pipeline::export_to_mlflow(*workspace, run.id, std::move(*from_environment));
  if (!page) return pass(page, fmt::format("sending run {} to {}", run.id, address));
  context.answer({{"run", run.id}, {"url", *page}}, fmt::format("run {} is at {}\n", run.id, *page));
  return {};
}

void add_show(CLI::App& runs, Context& context) {
  auto* command = runs.add_subcommand("show", "One run: settings, outcome, curves");
  auto id = std::make_shared<std::string>();
  auto svg = std::make_shared<std::string>();
  command->add_option("run", *id, "Its id, or the start of it")->required();
  command->add_option("--svg", *svg, "Also draw the curves into this file")->type_name("FILE");
  command->footer("Example:\n  imago runs show 20261121 --svg curves.svg");
  command->callback(
      [&context, id, svg] { context.action = [&context, id, svg] { return show_run(context, *id, *svg); }; });
}

void add_compare(CLI::App& runs, Context& context) {
  auto* command = runs.add_subcommand("compare", "Two runs: the settings that differ, and what came of it");
  auto ids = std::make_shared<std::pair<std::string, std::string>>();
  command->add_option("a", ids->first, "The id of one, or the start of it")->required();
  command->add_option("b", ids->second, "The other")->required();
  command->footer("Example:\n  imago runs compare 20261121-04 20261121-05");
  command->callback(
      [&context, ids] { context.action = [&context, ids] { return compare_runs(context, ids->first, ids->second); }; });
}

void add_export(CLI::App& runs, Context& context) {
  auto* command = runs.add_subcommand("export", "Send a run, or what is missing of it there, to an MLflow server");
  auto id = std::make_shared<std::string>();
  auto uri = std::make_shared<std::string>();
  command->add_option("run", *id, "Its id, or the start of it")->required();
  command->add_option("--mlflow", *uri, "The server; default: MLFLOW_TRACKING_URI")->type_name("URI");
  command->footer("Example:\n  imago runs export 20261121 --mlflow http://localhost:5000");
  command->callback(
      [&context, id, uri] { context.action = [&context, id, uri] { return export_run(context, *id, *uri); }; });
}

}  // namespace

void add_run_commands(CLI::App& app, Context& context) {
  auto* runs = app.add_subcommand("runs", "Training runs: settings, curves, outcome");
  runs->require_subcommand(1);
  auto* list = runs->add_subcommand("list", "The newest runs");
  auto limit = std::make_shared<int>(50);
  list->add_option("--limit", *limit, "At most so many")->check(CLI::Range(1, 100'000))->capture_default_str();
  list->footer("Example:\n  imago runs list");
  list->callback([&context, limit] { context.action = [&context, limit] { return list_runs(context, *limit); }; });
  add_show(*runs, context);
  add_compare(*runs, context);
  add_export(*runs, context);
}

}  // namespace imago::app
