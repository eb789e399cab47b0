// SPDX-License-Identifier: Apache-2.0
// Which of two models answers a request.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

namespace imago::serve {

/// Gives a share of the requests to the challenger. Safe from any thread.
class AbSplit {
 public:
  /// @param share  of all requests, in [0, 1].
  AbSplit(double share, std::uint64_t seed) : share_(share), seed_(seed) {}

  /// With a key the answer is the same on every machine and after every restart, whatever the seed; and as the share
  /// grows, the keys that were the challenger's stay so. An empty key is none: then it is a draw.
  [[nodiscard]] bool takes_challenger(std::string_view key);

  [[nodiscard]] double share() const { return share_; }

 private:
  const double share_;
  const std::uint64_t seed_;
  std::atomic<std::uint64_t> draws_{0};
};

}  // namespace imago::serve
