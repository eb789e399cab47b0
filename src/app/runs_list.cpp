// SPDX-License-Identifier: Apache-2.0
// imago runs list
#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "app/runs_command.hpp"
#include "app/table.hpp"

namespace imago::app {
namespace {

/// One run with what the table says of it.
struct Row {
  tracking::Run run;
  std::string data, recipe;
  std::int64_t epochs = 0;
  double accuracy = std::numeric_limits<double>::quiet_NaN();  ///< the best on the validation split
  double seconds = 0.0;
};

std::string text_param(const tracking::Run& run, const char* key) {
  const auto found = run.params.find(key);
  return found != run.params.end() && found->is_string() ? found->get<std::string>() : "-";
}

Row row_of(tracking::Run run, const std::map<std::string, tracking::MetricRange>& accuracies) {
  Row row{.run = std::move(run)};
  row.data = text_param(row.run, "dataset");
  const auto recipe = row.run.params.find("recipe");
  row.recipe = recipe != row.run.params.end() && recipe->is_object() ? recipe->value("name", "-") : "-";
  if (const auto found = accuracies.find(row.run.id); found != accuracies.end()) {
    row.epochs = found->second.points;
    row.accuracy = found->second.most;
  }
  row.seconds = tracking::seconds_of(row.run);
  return row;
}

/// `data` may name a version or only the data set.
bool is_wanted(const Row& row, const ListOptions& options) {
  const bool versioned = options.data.find('@') != std::string::npos;
  const std::string data = versioned ? row.data : row.data.substr(0, row.data.find('@'));
  return (options.state.empty() || options.state == tracking::to_string(row.run.status)) &&
         (options.data.empty() || options.data == data) && (options.recipe.empty() || options.recipe == row.recipe);
}

/// Best, longest, newest first; runs come newest first already.
void sort_rows(std::vector<Row>& rows, const std::string& by) {
  const auto key = [&](const Row& row) {
    if (by == "accuracy") return std::isnan(row.accuracy) ? -1.0 : row.accuracy;
    if (by == "time") return row.seconds;
    return static_cast<double>(row.epochs);
  };
  if (by != "created")
    std::stable_sort(rows.begin(), rows.end(), [&](const Row& a, const Row& b) { return key(a) > key(b); });
}

std::string duration_text(double seconds) {
  return format_duration(std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000)));
}

}  // namespace

Result<void> list_runs(Context& context, const ListOptions& options) {
  TRY(auto* workspace, context.workspace());
  TRY(auto runs, workspace->runs().list(std::numeric_limits<int>::max()));
  TRY(const auto accuracies, workspace->runs().ranges("val_accuracy"));
  const bool any = !runs.empty();
  std::vector<Row> rows;
  for (auto& run : runs) {
    auto row = row_of(std::move(run), accuracies);
    if (is_wanted(row, options)) rows.push_back(std::move(row));
  }
  sort_rows(rows, options.sort);
  rows.resize(std::min(rows.size(), static_cast<std::size_t>(options.limit)));

  json::Value value = json::Value::array();
  std::vector<std::vector<std::string>> table{
      {"RUN", "KIND", "STATUS", "DATA SET", "RECIPE", "EPOCHS", "VAL ACCURACY", "TIME", "CREATED"}};
  for (const auto& row : rows) {
    const bool measured = std::isfinite(row.accuracy);
    json::Value one = to_json(row.run);
    one["epochs"] = row.epochs;
    one["best_val_accuracy"] = measured ? json::Value(row.accuracy) : json::Value();
    one["seconds"] = row.seconds;
    value.push_back(std::move(one));
    table.push_back({row.run.id, row.run.kind, std::string(tracking::to_string(row.run.status)), row.data, row.recipe,
                     fmt::format("{}", row.epochs), measured ? fmt::format("{:.4f}", row.accuracy) : "-",
                     duration_text(row.seconds), row.run.created});
  }
  context.answer(value, !any           ? "no runs yet: start one with `imago train`\n"
                        : rows.empty() ? "no run is like that: `imago runs list` shows all\n"
                                       : format_columns(table));
  return {};
}

}  // namespace imago::app
