// SPDX-License-Identifier: Apache-2.0
#include "pipeline/run_owner.hpp"

#include <thread>

#include "tracking/run_store.hpp"

namespace imago::pipeline {
namespace {

constexpr const char* kLockName = "owner.lock";
constexpr int kTries = 300;
constexpr std::chrono::milliseconds kBetweenTries{100};

}  // namespace

Result<FileLock> own_run(const fs::path& run_folder, const std::function<bool()>& should_stop) {
  TRY_VOID(make_directories(run_folder));
  for (int i = 0; i < kTries; ++i) {
    auto lock = FileLock::try_lock(run_folder / kLockName);
    if (lock || lock.error().code != ErrorCode::Unavailable) return lock;
    if (should_stop && should_stop()) return fail(ErrorCode::Cancelled, "stopped");
    std::this_thread::sleep_for(kBetweenTries);
  }
  return fail(ErrorCode::Unavailable, "run {} is being worked on by another process", run_folder.filename().string());
}

Result<void> interrupt_abandoned_runs(store::Database& database, const fs::path& runs_folder) {
  tracking::RunStore runs(database);
  TRY(const auto rows, database.query("SELECT id FROM runs WHERE status = 'running'", {}));
  for (const auto& row : rows) {
    const std::string id = row.text("id");
    const fs::path lock_file = runs_folder / id / kLockName;
    if (!fs::exists(lock_file)) continue;
    const auto lock = FileLock::try_lock(lock_file);
    if (!lock) continue;
    TRY(const auto run, runs.find(id));
    if (run.status != tracking::RunStatus::Running) continue;  // it ended between the two looks
    TRY_VOID(runs.finish(id, tracking::RunStatus::Interrupted, json::Value::object(),
                         fmt::format("its process died; go on with `imago train --resume {}`", id)));
  }
  return {};
}

}  // namespace imago::pipeline
