// SPDX-License-Identifier: Apache-2.0
// The highest rate that a server holds with its 99th percentile under a target.
#pragma once

#include <functional>
#include <vector>

#include "base/error.hpp"

namespace imago::load {

struct RateTrial {
  double rate = 0.0;
  double p99_ms = 0.0;
  bool held = false;  ///< p99 under the target, and every answer right
};

struct FoundRate {
  double rate = 0.0;  ///< 0: not even the lowest that was tried
  std::vector<RateTrial> trials;
};

/// Tries `most` first, then halves the span between what was held and what was not until it is under `precision` of
/// `most`, so with 0.02 in seven trials at most.
/// @param measure  one trial; an error ends the search with it.
Result<FoundRate> find_rate(double most, double precision,
                            const std::function<Result<RateTrial>(double rate)>& measure);

}  // namespace imago::load
