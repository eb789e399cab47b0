// SPDX-License-Identifier: Apache-2.0
// Which runs have a living process: it holds a lock in the run's folder, which the kernel takes from the dead.
#pragma once

#include <filesystem>
#include <functional>

#include "base/error.hpp"
#include "base/files.hpp"
#include "store/database.hpp"

namespace imago::pipeline {

/// Makes the run's folder and takes the lock; waits up to half a minute for a process that is about to end. Unavailable
/// when another process still works on the run, Cancelled when `should_stop`.
Result<FileLock> own_run(const std::filesystem::path& run_folder, const std::function<bool()>& should_stop);

/// Runs that are "running" in `database` although their process has died become "interrupted". Runs without a folder in
/// `runs_folder` are another machine's and left alone. One query when nothing runs.
Result<void> interrupt_abandoned_runs(store::Database& database, const std::filesystem::path& runs_folder);

}  // namespace imago::pipeline
