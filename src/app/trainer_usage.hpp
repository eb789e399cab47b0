// SPDX-License-Identifier: Apache-2.0
// What training costs the machine at the moment.
#pragma once

#include "json/json.hpp"

namespace imago::app {

/// {"cpu_seconds": all threads of this process since its start, "memory_megabytes": resident,
///  "gpu_0_utilization_percentage": ..., "gpu_0_memory_usage_megabytes": ..., of each GPU of NVIDIA's that there is}.
/// The GPUs' names are MLflow's. Cheap: microseconds, with GPUs a millisecond.
json::Value system_usage();

/// From now on memory that was freed stays with this process for the next allocation. Each step of training allocates
/// and frees the same large tensors; given back to the system in between, every page of them is asked for and cleared
/// again, a fifth of a step's time. Call it before anything large is allocated.
void keep_freed_memory();

}  // namespace imago::app
