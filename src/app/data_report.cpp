// SPDX-License-Identifier: Apache-2.0
#include "app/data_report.hpp"

#include <algorithm>

#include "app/table.hpp"

namespace imago::app {
namespace {

constexpr std::size_t kRefusalsShown = 10;

json::Value list_of(const data::Reasons& reasons) {
  json::Value list = json::Value::array();
  for (const auto& [path, reason] : reasons.first) list.push_back({{"path", path}, {"reason", reason}});
  return list;
}

/// "kept 10, fixed 2 of them, refused 3", each with its reasons, the most frequent first.
std::string files_table(const data::ImportReport& report) {
  std::vector<std::vector<std::string>> rows{{"FILES", "", "REASON"}};
  const auto add = [&](const char* what, std::size_t count, const data::Reasons& reasons) {
    if (count == 0) return;
    rows.push_back({what, std::to_string(count), ""});
    std::vector<std::pair<std::string, std::size_t>> kinds(reasons.kinds.counts().begin(),
                                                           reasons.kinds.counts().end());
    std::stable_sort(kinds.begin(), kinds.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
    for (const auto& [kind, files] : kinds) rows.push_back({"", std::to_string(files), kind});
  };
  rows.push_back({"kept", std::to_string(report.kept), ""});
  add("of these fixed", report.fixed_files, report.fixed);
  add("refused", report.refused.count, report.refused);
  return format_columns(rows);
}

}  // namespace

json::Value to_json(const data::ImportReport& report, const std::string& name) {
  json::Value counts = json::Value::object();
  for (const auto& [split, by_label] : report.counts) counts[std::string(data::to_string(split))] = by_label;
  return {{"dataset", name},
          {"version", report.version},
          {"was_there", report.was_there},
          {"kept", report.kept},
          {"labels", report.labels},
          {"counts", counts},
          {"refused", list_of(report.refused)},
          {"refused_count", report.refused.count},
          {"refused_by_reason", report.refused.kinds.counts()},
          {"fixed", list_of(report.fixed)},
          {"fixed_count", report.fixed_files},
          {"fixed_by_reason", report.fixed.kinds.counts()}};
}

std::string counts_table(const data::ImportReport& report) {
  std::vector<std::vector<std::string>> rows{{"CLASS"}};
  for (const auto& [split, by_label] : report.counts) rows[0].emplace_back(data::to_string(split));
  for (std::size_t i = 0; i < report.labels.size(); ++i) {
    rows.push_back({report.labels[i]});
    for (const auto& [split, by_label] : report.counts) rows.back().push_back(std::to_string(by_label[i]));
  }
  return format_columns(rows);
}

std::string import_text(const data::ImportReport& report, const std::string& name) {
  std::string text = counts_table(report) + '\n' + files_table(report) + '\n';
  const auto shown = std::min(report.refused.first.size(), kRefusalsShown);
  if (shown > 0) text += "Refused:\n";
  for (std::size_t i = 0; i < shown; ++i)
    text += fmt::format("  {}: {}\n", report.refused.first[i].path, report.refused.first[i].reason);
  if (report.refused.count > shown || report.fixed.count > 0)
    text += fmt::format("All refused and fixed files: imago data show {} --refused\n", name);
  return text + fmt::format("{}@{}{}\n", name, report.version, report.was_there ? " (was there already)" : "");
}

}  // namespace imago::app
