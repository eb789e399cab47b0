// SPDX-License-Identifier: Apache-2.0
#include "pipeline/machine.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <string>
#include <thread>

namespace imago::pipeline {
namespace {

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

/// The first "model name" of /proc/cpuinfo; other kinds of machines call it "Model" or "CPU part", or say nothing.
std::string processor_name() {
  std::ifstream lines("/proc/cpuinfo");
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("model name")) continue;
    const auto from = line.find_first_not_of(" \t", line.find(':') + 1);
    return from == std::string::npos ? "" : line.substr(from);
  }
  return "";
}

std::int64_t memory_bytes() {
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long page_size = ::sysconf(_SC_PAGESIZE);
  return pages > 0 && page_size > 0 ? std::int64_t{pages} * page_size : 0;
}

}  // namespace

int all_threads() { return static_cast<int>(std::max(1U, std::thread::hardware_concurrency())); }

json::Value describe_machine() {
  return {{"host", host_name()},
          {"cpu", processor_name()},
          {"processors", all_threads()},
          {"memory_bytes", memory_bytes()}};
}

}  // namespace imago::pipeline
