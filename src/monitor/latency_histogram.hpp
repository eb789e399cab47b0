// SPDX-License-Identifier: Apache-2.0
// Quantiles of latencies in a fixed 800 bytes: counts in buckets of which each is at most an eighth as wide as its
// lower end, as HDR histograms have them.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace imago::monitor {

/// A plain value, not guarded against threads.
class LatencyHistogram {
 public:
  /// Below nothing counts as 0, above 134 s as 134 s.
  void add(std::chrono::microseconds latency);
  void add(const LatencyHistogram& other);
  [[nodiscard]] std::uint64_t count() const;
  /// By interpolation in the bucket that holds it, so within an eighth of the true value; 0 when empty.
  /// @param share  in [0, 1]: 0.5 is the median.
  [[nodiscard]] std::chrono::microseconds quantile(double share) const;

 private:
  static constexpr int kSubBits = 3;  ///< 8 buckets an octave
  static constexpr int kOctaves = 27;
  static constexpr std::size_t kBuckets = static_cast<std::size_t>(kOctaves - kSubBits + 1) << kSubBits;

  static std::size_t index_of(std::uint64_t microseconds);
  static std::uint64_t lower_end(std::size_t index);

  std::array<std::uint32_t, kBuckets> counts_{};
};

}  // namespace imago::monitor
