// SPDX-License-Identifier: Apache-2.0
#include "monitor/latency_histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

namespace imago::monitor {

// Values below 2^kSubBits have a bucket each; above, the octave and the next kSubBits bits of the value name it.
template <int kSubBits>
std::size_t BasicLatencyHistogram<kSubBits>::index_of(std::uint64_t microseconds) {
  constexpr std::uint64_t kMost = (std::uint64_t{1} << kOctaves) - 1;
  microseconds = std::min(microseconds, kMost);
  const int octave = std::max(0, static_cast<int>(std::bit_width(microseconds)) - kSubBits - 1);
  return (static_cast<std::size_t>(octave) << kSubBits) + static_cast<std::size_t>(microseconds >> octave);
}

template <int kSubBits>
std::uint64_t BasicLatencyHistogram<kSubBits>::lower_end(std::size_t index) {
  constexpr std::size_t kSub = std::size_t{1} << kSubBits;
  if (index < 2 * kSub) return index;
  const std::size_t octave = index / kSub - 1;
  return static_cast<std::uint64_t>(kSub + index % kSub) << octave;
}

template <int kSubBits>
void BasicLatencyHistogram<kSubBits>::add(std::chrono::microseconds latency) {
  ++counts_[index_of(static_cast<std::uint64_t>(std::max<std::int64_t>(0, latency.count())))];
}

template <int kSubBits>
void BasicLatencyHistogram<kSubBits>::add(const BasicLatencyHistogram& other) {
  for (std::size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
}

template <int kSubBits>
std::uint64_t BasicLatencyHistogram<kSubBits>::count() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

template <int kSubBits>
std::uint64_t BasicLatencyHistogram<kSubBits>::count_below(std::chrono::microseconds latency) const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kBuckets && static_cast<std::int64_t>(lower_end(i)) < latency.count(); ++i)
    sum += counts_[i];
  return sum;
}

template <int kSubBits>
std::chrono::microseconds BasicLatencyHistogram<kSubBits>::quantile(double share) const {
  const double wanted = share * static_cast<double>(count());
  double below = 0.0;
  std::size_t last = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    if (counts_[i] == 0) continue;
    last = i;
    const double here = counts_[i];
    if (below + here >= wanted) {
      const auto low = static_cast<double>(lower_end(i));
      const auto width = static_cast<double>(lower_end(i + 1)) - low;
      // A bucket one microsecond wide holds one value; wider ones are taken as evenly filled.
      const double within = width > 1.0 ? width * (wanted - below) / here : 0.0;
      return std::chrono::microseconds(std::llround(low + within));
    }
    below += here;
  }
  return std::chrono::microseconds(static_cast<std::int64_t>(lower_end(last)));
}

template class BasicLatencyHistogram<3>;
template class BasicLatencyHistogram<8>;

}  // namespace imago::monitor
