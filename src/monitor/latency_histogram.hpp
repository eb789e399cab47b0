// SPDX-License-Identifier: Apache-2.0
// Quantiles of latencies in a fixed space: counts in buckets of which each is at most 1/2^kSubBits as wide as its lower
// end, as HDR histograms have them.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace imago::monitor {

/// A plain value, not guarded against threads.
/// @tparam kSubBits  2^kSubBits buckets an octave.
template <int kSubBits>
class BasicLatencyHistogram {
 public:
  /// Below nothing counts as 0, above 134 s as 134 s.
  void add(std::chrono::microseconds latency);
  void add(const BasicLatencyHistogram& other);
  [[nodiscard]] std::uint64_t count() const;
  /// Those in buckets that begin below `latency`.
  [[nodiscard]] std::uint64_t count_below(std::chrono::microseconds latency) const;
  /// By interpolation in the bucket that holds it, so within a bucket's width of the true value; 0 when empty.
  /// @param share  in [0, 1]: 0.5 is the median.
  [[nodiscard]] std::chrono::microseconds quantile(double share) const;

 private:
  static constexpr int kOctaves = 27;
  static constexpr std::size_t kBuckets = static_cast<std::size_t>(kOctaves - kSubBits + 1) << kSubBits;

  static std::size_t index_of(std::uint64_t microseconds);
  static std::uint64_t lower_end(std::size_t index);

  std::array<std::uint32_t, kBuckets> counts_{};
};

using LatencyHistogram = BasicLatencyHistogram<3>;      ///< 800 bytes, within 12.5 %: many of them, for the history
using FineLatencyHistogram = BasicLatencyHistogram<8>;  ///< 20 KB, within 0.4 %: for a measurement

extern template class BasicLatencyHistogram<3>;
extern template class BasicLatencyHistogram<8>;

}  // namespace imago::monitor
