// SPDX-License-Identifier: Apache-2.0
// How this program does jobs: in a process of its own, which is this program again.
#pragma once

#include "app/command.hpp"
#include "jobs/worker.hpp"

namespace imago::app {

/// `imago job run ID` on the context's workspace. Its database is passed on in the environment (it may hold a
/// password): call this before there are threads.
jobs::WorkerOptions job_worker(const Context& context);

}  // namespace imago::app
