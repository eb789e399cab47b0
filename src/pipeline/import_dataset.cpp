// SPDX-License-Identifier: Apache-2.0
#include "pipeline/import_dataset.hpp"

#include "base/clock.hpp"

namespace imago::pipeline {
namespace {

/// The row is written after the files are published: a crash between the two costs the row only, and the next import of
/// the same content, which finds the files there, writes it.
Result<void> record(Workspace& workspace, const std::string& name, const std::string& source,
                    const data::ImportReport& report) {
  const json::Value summary{
      {"images", report.kept}, {"classes", report.labels.size()}, {"refused", report.refused.count}};
  return workspace.database().transaction([&](store::Database& database) -> Result<void> {
    TRY(const auto known, database.query("SELECT version FROM dataset_versions WHERE dataset = :a AND version = :b",
                                         {name, report.version}));
    if (!known.empty()) return {};
    TRY_VOID(database.execute(
        "INSERT INTO dataset_versions (dataset, version, parent, created, source, summary) "
        "VALUES (:a, :b, :c, :d, :e, :f)",
        {name, report.version, std::string(), format_utc(system_clock().wall()), source, json::dump(summary)}));
    return {};
  });
}

}  // namespace

Result<data::ImportReport> import_dataset(Workspace& workspace, const data::ImportRequest& request,
                                          const data::OnImportProgress& on_progress, const std::atomic<bool>* stop) {
  TRY(auto report, data::import_dataset(workspace.datasets(), request, on_progress, stop));
  TRY_VOID(record(workspace, request.name, request.source.filename().string(), report));
  return report;
}

Result<data::ImportReport> generate_shapes(Workspace& workspace, const data::ShapesRequest& request,
                                           const std::function<void(std::size_t, std::size_t)>& on_progress,
                                           const std::atomic<bool>* stop) {
  TRY(auto report, data::generate_shapes(workspace.datasets(), request, on_progress, stop));
  TRY_VOID(record(workspace, request.name, "drawn by the program", report));
  return report;
}

}  // namespace imago::pipeline
