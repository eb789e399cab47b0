// SPDX-License-Identifier: Apache-2.0
#include "app/trainer_usage.hpp"

#include <dlfcn.h>
#include <malloc.h>
#include <unistd.h>

#include <ctime>
#include <fstream>

namespace imago::app {
namespace {

constexpr double kMegabyte = 1e6;

double resident_megabytes() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t total = 0, resident = 0;
  statm >> total >> resident;
  return static_cast<double>(resident * ::sysconf(_SC_PAGESIZE)) / kMegabyte;
}

/// NVML, NVIDIA's own library for it, where the driver has brought it. nvml.h is not needed: these few functions have
/// been the same since 2012.
class GpuMonitor {
 public:
  GpuMonitor() : library_(::dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL)) {
    if (library_ == nullptr) return;
    const auto start = find<int()>("nvmlInit_v2");
    const auto count = find<int(unsigned*)>("nvmlDeviceGetCount_v2");
    handle_ = find<int(unsigned, Device*)>("nvmlDeviceGetHandleByIndex_v2");
    utilization_ = find<int(Device, Utilization*)>("nvmlDeviceGetUtilizationRates");
    memory_ = find<int(Device, Memory*)>("nvmlDeviceGetMemoryInfo");
    const bool complete = start && count && handle_ && utilization_ && memory_;
    if (!complete || start() != 0 || count(&devices_) != 0) devices_ = 0;
  }

  void add_to(json::Value& usage) const {
    for (unsigned i = 0; i < devices_; ++i) {
      Device device = nullptr;
      if (handle_(i, &device) != 0) continue;
      if (Utilization busy; utilization_(device, &busy) == 0)
        usage[fmt::format("gpu_{}_utilization_percentage", i)] = busy.gpu;
      if (Memory memory; memory_(device, &memory) == 0)
        usage[fmt::format("gpu_{}_memory_usage_megabytes", i)] = static_cast<double>(memory.used) / kMegabyte;
    }
  }

 private:
  using Device = void*;
  struct Utilization {
    unsigned gpu = 0, memory = 0;  // percent of the last moments
  };
  struct Memory {
    unsigned long long total = 0, free = 0, used = 0;
  };

  template <class Function>
  Function* find(const char* name) const {
    return reinterpret_cast<Function*>(::dlsym(library_, name));
  }

  void* library_;  // stays for the life of the process
  unsigned devices_ = 0;
  int (*handle_)(unsigned, Device*) = nullptr;
  int (*utilization_)(Device, Utilization*) = nullptr;
  int (*memory_)(Device, Memory*) = nullptr;
};

}  // namespace

json::Value system_usage() {
  static const GpuMonitor gpus;
  json::Value usage{{"cpu_seconds", static_cast<double>(std::clock()) / CLOCKS_PER_SEC},
                    {"memory_megabytes", resident_megabytes()}};
  gpus.add_to(usage);
  return usage;
}

void keep_freed_memory() {
  ::mallopt(M_MMAP_MAX, 0);         // what is mapped is unmapped when it is freed
  ::mallopt(M_TRIM_THRESHOLD, -1);  // never
}

}  // namespace imago::app
