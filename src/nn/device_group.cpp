// SPDX-License-Identifier: Apache-2.0
#include "nn/device_group.hpp"

#include <torch/version.h>

#include "base/error.hpp"

#if TORCH_VERSION_MAJOR * 100 + TORCH_VERSION_MINOR >= 215
#include <ATen/DeviceAccelerator.h>
#endif
#ifdef USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

namespace imago::nn {

torch::Device pick_device(int local_rank) {
  if (!torch::cuda::is_available()) return torch::kCPU;
  const auto devices = static_cast<int>(torch::cuda::device_count());
  return {torch::kCUDA, static_cast<c10::DeviceIndex>(local_rank % std::max(1, devices))};
}

std::size_t free_memory(torch::Device device) {
  if (device.is_cpu()) return 0;
#if TORCH_VERSION_MAJOR * 100 + TORCH_VERSION_MINOR >= 215
  return at::accelerator::getMemoryInfo(device.index()).first;
#else
  return 0;
#endif
}

#ifdef USE_C10D_NCCL

namespace {

class NcclGroup final : public DeviceGroup {
 public:
  NcclGroup(const TeamSettings& settings, c10::intrusive_ptr<c10d::Store> store) {
    auto options = c10d::ProcessGroupNCCL::Options::create();
    options->timeout = settings.timeout;
    group_ =
        c10::make_intrusive<c10d::ProcessGroupNCCL>(std::move(store), settings.rank, settings.size, std::move(options));
  }

  void sum(torch::Tensor& values) override {
    std::vector<torch::Tensor> tensors{values};
    group_->allreduce(tensors)->wait(timeout_of(*group_));
  }

 private:
  static std::chrono::milliseconds timeout_of(c10d::ProcessGroupNCCL& group) { return group.getOptions()->timeout; }

  c10::intrusive_ptr<c10d::ProcessGroupNCCL> group_;
};

}  // namespace

bool may_open_device_group(const TeamSettings& settings) {
  return torch::cuda::is_available() && settings.local_rank < static_cast<int>(torch::cuda::device_count());
}

std::unique_ptr<DeviceGroup> open_device_group(const TeamSettings& settings, c10::intrusive_ptr<c10d::Store> store) {
  return std::make_unique<NcclGroup>(settings, std::move(store));
}

#else

bool may_open_device_group(const TeamSettings& /*settings*/) { return false; }

std::unique_ptr<DeviceGroup> open_device_group(const TeamSettings& /*settings*/,
                                               c10::intrusive_ptr<c10d::Store> /*store*/) {
  EXPECTS(false, "this build has no NCCL");
  return nullptr;
}

#endif

}  // namespace imago::nn
