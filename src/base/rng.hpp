// SPDX-License-Identifier: Apache-2.0
// Random numbers that are the same on every machine and compiler: the standard library's engines are portable, its
// distributions are not, so the few that are needed are here.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

namespace imago {

/// xoshiro256++ 1.0 (Blackman and Vigna, 2019), seeded through splitmix64. Not for secrets. Copy to fork a stream.
class Rng {
 public:
  using State = std::array<std::uint64_t, 4>;

  explicit Rng(std::uint64_t seed);
  explicit Rng(const State& state) : state_(state) {}

  /// An independent stream for one item of one pass, whichever thread asks: what makes augmentation independent of the
  /// number of threads.
  static Rng for_item(std::uint64_t seed, std::uint64_t pass, std::uint64_t item);

  std::uint64_t next();
  /// Uniform in [0, 1), 53 bits.
  double uniform();
  /// Uniform in [low, high).
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Uniform integer in [0, bound), without bias. bound must be positive.
  std::uint64_t below(std::uint64_t bound);
  /// Standard normal (Box and Muller).
  double normal();
  bool chance(double probability) { return uniform() < probability; }

  template <class T>
  void shuffle(std::span<T> items) {  // Fisher and Yates
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

  [[nodiscard]] const State& state() const { return state_; }

 private:
  State state_;
};

/// `bytes` random bytes from the operating system in lowercase hex: for names nobody can guess.
std::string random_hex(int bytes);

}  // namespace imago
