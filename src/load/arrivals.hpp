// SPDX-License-Identifier: Apache-2.0
// When the requests of an open loop are due, whether or not the server keeps up.
#pragma once

#include <chrono>
#include <cmath>
#include <cstdint>

#include "base/rng.hpp"

namespace imago::load {

enum class Pace {
  Poisson,  ///< independent clients: the gaps are exponential
  Fixed,    ///< all gaps are the same
};

class Arrivals {
 public:
  /// @param rate  requests a second, above 0.
  Arrivals(double rate, Pace pace, std::uint64_t seed) : gap_(1.0 / rate), pace_(pace), rng_(seed) {}

  /// When the next one is due, since the start. The first is due one gap after it.
  std::chrono::nanoseconds next() {
    seconds_ += pace_ == Pace::Fixed ? gap_ : -gap_ * std::log1p(-rng_.uniform());
    return std::chrono::nanoseconds(static_cast<std::int64_t>(seconds_ * 1e9));
  }

 private:
  double gap_;
  Pace pace_;
  Rng rng_;
  double seconds_ = 0.0;
};

}  // namespace imago::load
