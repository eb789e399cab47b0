// SPDX-License-Identifier: Apache-2.0
#include "monitor/process.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace imago::monitor {
namespace {

// Fields of /proc/self/stat from the third on (proc(5)); the second, the name, may hold blanks and brackets.
std::vector<std::string> stat_fields() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  const auto name_end = line.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream rest(line.substr(name_end + 1));
  return {std::istream_iterator<std::string>(rest), {}};
}

double boot_seconds() {
  std::ifstream file("/proc/stat");
  for (std::string key; file >> key; file.ignore(1 << 20, '\n')) {
    double seconds = 0.0;
    if (key == "btime" && file >> seconds) return seconds;
  }
  return 0.0;
}

}  // namespace

ProcessUsage process_usage() {
  ProcessUsage usage;
  const auto fields = stat_fields();
  const auto number = [&](std::size_t field) { return fields.size() > field - 3 ? std::stoll(fields[field - 3]) : 0; };
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  usage.cpu_seconds = static_cast<double>(number(14) + number(15)) / ticks;
  usage.threads = number(20);
  usage.start_seconds = boot_seconds() + static_cast<double>(number(22)) / ticks;
  usage.virtual_bytes = number(23);
  usage.resident_bytes = number(24) * sysconf(_SC_PAGESIZE);

  std::error_code none;
  const std::filesystem::directory_iterator files("/proc/self/fd", none);
  if (!none) usage.open_files = std::distance(begin(files), end(files)) - 1;  // without the one that lists
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) usage.max_files = static_cast<std::int64_t>(limit.rlim_cur);
  return usage;
}

}  // namespace imago::monitor
