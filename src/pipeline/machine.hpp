// SPDX-License-Identifier: Apache-2.0
// The machine that a run was on: floating point sums come out the same only on the same kind of it.
#pragma once

#include "json/json.hpp"

namespace imago::pipeline {

/// {"host": "box", "cpu": "Intel(R) Xeon(R) ...", "processors": 2, "memory_bytes": 8347648000}: processors are those
/// that this process may use. What the system does not say is "" or 0.
json::Value describe_machine();

/// Threads that training uses when it was told 0.
int all_threads();

}  // namespace imago::pipeline
