// SPDX-License-Identifier: Apache-2.0
// Several processes that train one network together, each on its share of every batch (c10d inside: Gloo, and NCCL for
// what lies on a GPU). docs/distributed.md is for users.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/error.hpp"

namespace at {
class Tensor;
}

namespace imago::nn {

/// A table that all processes of a job share while they find one another.
class Rendezvous {
 public:
  virtual ~Rendezvous() = default;
  virtual Result<void> put(const std::string& key, const std::string& value) = 0;
  virtual Result<std::optional<std::string>> find(const std::string& key) = 0;
  /// Waits until somebody has put it. Timeout naming the key when nobody does.
  virtual Result<std::string> get(const std::string& key) = 0;
};

struct TeamSettings {
  int rank = 0;  ///< this process, from 0
  int size = 1;
  int local_rank = 0;  ///< among those on this machine: chooses its GPU
  /// A host that all can reach; this machine listens for the others at the address from which it would reach that host,
  /// so a loopback address keeps everything on this machine.
  std::string meeting_host = "127.0.0.1";
  std::chrono::milliseconds timeout{30'000};  ///< of one exchange: whoever takes longer is lost
};

/// The others, from where one of them stands. Every call must be made by all, in the same order, by one thread at a
/// time. Unavailable when one of them has gone, failed or taken too long; then the group is of no more use.
class Communicator {
 public:
  virtual ~Communicator() = default;
  [[nodiscard]] virtual int rank() const = 0;
  [[nodiscard]] virtual int size() const = 0;
  [[nodiscard]] virtual int local_rank() const = 0;

  /// Every value becomes the sum of all processes' values, the same to the bit everywhere.
  virtual Result<void> sum(std::span<double> values) = 0;
  /// Likewise for a contiguous float tensor on the CPU or a GPU.
  virtual Result<void> sum(at::Tensor& values) = 0;
  /// The first process's bytes to all others.
  virtual Result<void> broadcast(std::string& bytes) = 0;
};

/// Meets the others; returns when all are there. `rendezvous` must outlive the communicator.
Result<std::unique_ptr<Communicator>> connect(const TeamSettings& settings, Rendezvous& rendezvous);

}  // namespace imago::nn
