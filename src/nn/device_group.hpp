// SPDX-License-Identifier: Apache-2.0
// Exchanges among GPUs without a way through the host's memory: NCCL, in a libtorch that has it.
#pragma once

#include <torch/torch.h>

#include <memory>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include "nn/communicator.hpp"

namespace imago::nn {

class DeviceGroup {
 public:
  virtual ~DeviceGroup() = default;
  /// As Communicator::sum, of a tensor on this process's GPU. Throws what c10d throws.
  virtual void sum(torch::Tensor& values) = 0;
};

/// The GPU of this process: each of those on a machine takes its own as long as there are enough.
torch::Device pick_device(int local_rank);

/// Bytes of the device's own memory that nobody uses; 0 when there is none or this libtorch cannot tell.
std::size_t free_memory(torch::Device device);

/// True when this process has a GPU that no other one on this machine uses, and this build has NCCL.
bool may_open_device_group(const TeamSettings& settings);
/// Once all may. The store must outlive it.
std::unique_ptr<DeviceGroup> open_device_group(const TeamSettings& settings, c10::intrusive_ptr<c10d::Store> store);

}  // namespace imago::nn
