// SPDX-License-Identifier: Apache-2.0
// One process's share of a training that several carry out together, or all of it when there is only one. Batches are
// those of a single process, cut into slices; what depends on the clock is decided by the first process for all.
#pragma once

#include <cstddef>
#include <span>

#include "base/error.hpp"
#include "nn/communicator.hpp"

namespace imago::train {

struct Slice {
  std::size_t begin = 0;
  std::size_t size = 0;
};

/// The part of `n` items that process `rank` of `size` works on: neighbours, the sizes at most one apart.
constexpr Slice slice_of(std::size_t n, int rank, int size) {
  const auto r = static_cast<std::size_t>(rank);
  const auto s = static_cast<std::size_t>(size);
  return {n * r / s, n * (r + 1) / s - n * r / s};
}

class Sharding {
 public:
  /// @param team null: this process is alone, and everything below costs nothing and cannot fail. Must outlive this.
  explicit Sharding(nn::Communicator* team) : team_(team) {}

  [[nodiscard]] bool alone() const { return team_ == nullptr; }
  [[nodiscard]] int rank() const { return alone() ? 0 : team_->rank(); }
  [[nodiscard]] int size() const { return alone() ? 1 : team_->size(); }
  /// The process that writes checkpoints and reports.
  [[nodiscard]] bool leads() const { return rank() == 0; }

  /// What happens before the next step.
  struct Turn {
    bool stop = false;         ///< somebody was asked to stop
    bool out_of_time = false;  ///< by the first process's clock
    double progress = 0.0;     ///< of the schedule, likewise
  };
  /// From what this process would do to what all do. Unavailable when another process is lost, as in all that follow.
  Result<Turn> agree(Turn mine) const;

  Result<void> sum(std::span<double> values) const { return alone() ? Result<void>() : team_->sum(values); }
  /// The first process's bytes to all.
  Result<void> share(std::string& bytes) const { return alone() ? Result<void>() : team_->broadcast(bytes); }

 private:
  nn::Communicator* team_;
};

}  // namespace imago::train
