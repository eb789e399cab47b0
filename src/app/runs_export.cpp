// SPDX-License-Identifier: Apache-2.0
// imago runs export
#include <cmath>

#include "app/runs_command.hpp"
#include "base/files.hpp"
#include "pipeline/mlflow_outbox.hpp"
#include "pipeline/run_results.hpp"

namespace imago::app {
namespace {

/// RFC 4180: a field with a comma, a quote or a line break is quoted.
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

/// A row a point, the form that pandas, R and spreadsheets pivot: run,metric,step,value,time.
Result<std::string> as_csv(pipeline::Workspace& workspace, const std::vector<std::string>& ids) {
  std::string csv = "run,metric,step,value,time\r\n";
  for (const auto& id : ids) {
    TRY(const auto series, workspace.runs().metrics(id));
    for (const auto& [name, points] : series) {
      for (const auto& point : points)
        csv += fmt::format("{},{},{},{},{}\r\n", id, csv_field(name), point.step,
                           std::isfinite(point.value) ? fmt::format("{}", point.value) : "", point.time);
    }
  }
  return csv;
}

Result<tracking::MlflowServer> server_of(const std::string& uri) {
  TRY(auto server, uri.empty() ? tracking::mlflow_from_environment() : tracking::mlflow_login(uri));
  if (!server)
    return fail(ErrorCode::InvalidArgument,
                "where to? Name the server with --mlflow http://HOST:PORT or in MLFLOW_TRACKING_URI");
  return std::move(*server);
}

Result<void> to_mlflow(pipeline::Workspace& workspace, const std::vector<std::string>& ids, const std::string& uri,
                       json::Value& value, std::string& text) {
  TRY(const auto server, server_of(uri));
  for (const auto& id : ids) {
    auto page = pipeline::export_to_mlflow(workspace, id, server);
    if (!page) return pass(page, fmt::format("sending run {} to {}", id, server.uri));
    value["sent"].push_back({{"run", id}, {"url", *page}});
    text += fmt::format("run {} is at {}\n", id, *page);
  }
  if (ids.size() == 1) {
    const json::Value only = value["sent"].front();  // a copy: update would read from what it makes grow
    value.update(only);
  }
  return {};
}

}  // namespace

Result<void> export_runs(Context& context, const ExportOptions& options) {
  TRY(auto* workspace, context.workspace());
  std::vector<std::string> ids;
  for (const auto& given : options.runs) {
    TRY(const auto run, workspace->runs().find(given));
    ids.push_back(run.id);
  }
  json::Value value{{"sent", json::Value::array()}};
  std::string text;
  if (options.pending) {
    for (const auto& unsent : pipeline::unsent_runs(*workspace)) ids.push_back(unsent.run);
    if (ids.empty()) text = "every run that an MLflow server should have is there\n";
  } else if (ids.empty()) {
    return fail(ErrorCode::InvalidArgument, "which run? `imago runs list` shows them");
  }
  if (!options.csv.empty()) {
    TRY(const auto csv, as_csv(*workspace, ids));
    TRY_VOID(write_file_atomic(options.csv, csv));
    value["csv"] = options.csv;
    text += fmt::format("the metrics are in {}\n", options.csv);
  }
  const bool send = options.mlflow || options.pending || options.csv.empty();
  if (send && !ids.empty()) TRY_VOID(to_mlflow(*workspace, ids, options.uri, value, text));
  context.answer(value, text);
  return {};
}

}  // namespace imago::app
