// SPDX-License-Identifier: Apache-2.0
#include "load/find_rate.hpp"

namespace imago::load {

Result<FoundRate> find_rate(double most, double precision,
                            const std::function<Result<RateTrial>(double rate)>& measure) {
  FoundRate found;
  double not_held = most;
  for (double rate = most; found.trials.empty() || not_held - found.rate > precision * most;
       rate = (found.rate + not_held) / 2) {
    TRY(const auto trial, measure(rate));
    found.trials.push_back(trial);
    (trial.held ? found.rate : not_held) = rate;
  }
  return found;
}

}  // namespace imago::load
