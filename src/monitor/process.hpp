// SPDX-License-Identifier: Apache-2.0
// What the operating system says of this process (Linux: /proc/self).
#pragma once

#include <cstdint>

namespace imago::monitor {

struct ProcessUsage {
  std::int64_t resident_bytes = 0;
  std::int64_t virtual_bytes = 0;
  double cpu_seconds = 0.0;  ///< user and system
  std::int64_t open_files = 0;
  std::int64_t max_files = 0;
  std::int64_t threads = 0;
  double start_seconds = 0.0;  ///< since 1970
};

/// Zeros where the system does not say.
ProcessUsage process_usage();

}  // namespace imago::monitor
