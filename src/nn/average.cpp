// SPDX-License-Identifier: Apache-2.0
#include "nn/average.hpp"

#include <algorithm>
#include <utility>

namespace imago::nn {

void Average::begin(const Values& values, bool at_random) {
  if (kept_) restore(values.clone(), at_random);
}

void Average::restore(Values average, bool began_at_random) {
  values_ = std::move(average);
  began_at_random_ = began_at_random;
}

void Average::follow(const Values& values, std::int64_t steps) {
  if (!is_served()) return;
  const auto t = static_cast<double>(steps);
  const double most = began_at_random_ ? (1.0 + t) / (10.0 + t) : 1.0;
  move_towards(values, std::min(decay_, most));
}

void Average::look_ahead(Values& values, double decay) {
  move_towards(values, decay);
  values.trained.copy_(values_.trained);
  values.kept.copy_(values_.kept);
}

void Average::move_towards(const Values& values, double decay) {
  values_.trained.lerp_(values.trained, 1.0 - decay);
  values_.kept.lerp_(values.kept, 1.0 - decay);
}

}  // namespace imago::nn
