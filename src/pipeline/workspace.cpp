// SPDX-License-Identifier: Apache-2.0
#include "pipeline/workspace.hpp"

#include "base/files.hpp"
#include "pipeline/run_owner.hpp"

namespace imago::pipeline {

Result<std::unique_ptr<Workspace>> Workspace::open(const fs::path& folder, const std::string& database_url) {
  std::error_code error;
  fs::path absolute = fs::absolute(folder, error);
  if (error) return fail(ErrorCode::InvalidArgument, "workspace '{}': {}", folder.string(), error.message());
  absolute = absolute.lexically_normal();
  for (const char* part : {"datasets", "runs", "models"}) TRY_VOID(make_directories(absolute / part));
  TRY(auto database,
      store::Database::open(database_url.empty() ? "sqlite:" + (absolute / "imago.db").string() : database_url));
  std::unique_ptr<Workspace> workspace(new Workspace(std::move(absolute), std::move(database)));
  workspace->runs().watch_owners([&database = workspace->database(), folder = workspace->folder() / "runs"] {
    return interrupt_abandoned_runs(database, folder);
  });
  return workspace;
}

Workspace::Workspace(fs::path folder, std::unique_ptr<store::Database> database)
    : folder_(std::move(folder)),
      database_(std::move(database)),
      datasets_(folder_ / "datasets"),
      models_(*database_, folder_ / "models"),
      runs_(*database_) {}

}  // namespace imago::pipeline
