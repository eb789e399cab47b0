// SPDX-License-Identifier: Apache-2.0
#include "train/sharding.hpp"

#include <array>

namespace imago::train {

Result<Sharding::Turn> Sharding::agree(Turn mine) const {
  if (alone()) return mine;
  std::array<double, 3> votes{mine.stop ? 1.0 : 0.0, leads() && mine.out_of_time ? 1.0 : 0.0,
                              leads() ? mine.progress : 0.0};
  TRY_VOID(team_->sum(votes));
  return Turn{.stop = votes[0] > 0.0, .out_of_time = votes[1] > 0.0, .progress = votes[2]};
}

}  // namespace imago::train
