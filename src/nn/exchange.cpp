// SPDX-License-Identifier: Apache-2.0
#include "nn/exchange.hpp"

#include <cmath>

#include "base/rng.hpp"

namespace imago::nn {

Result<void> exchange(Communicator& team, Share& share) {
  const bool keep_first = !share.statistics_move;
  const double statistics_weight = keep_first ? (team.rank() == 0 ? 1.0 : 0.0) : share.images;
  const auto scalars = torch::tensor({share.report.loss * share.loss_weight, static_cast<double>(share.report.correct),
                                      share.loss_weight, static_cast<double>(share.images)},
                                     torch::kFloat64)
                           .to(share.gradient.options());
  const auto weighted_statistics =
      statistics_weight == 0.0 ? torch::zeros_like(share.statistics) : share.statistics * statistics_weight;
  auto all = torch::cat({share.gradient * share.loss_weight, weighted_statistics, scalars});
  TRY_VOID(team.sum(all));

  const std::int64_t trained = share.gradient.numel();
  const std::int64_t kept = share.statistics.numel();
  const auto totals = all.narrow(0, trained + kept, scalars.numel()).to(torch::kCPU, torch::kFloat64);
  const auto total = [&](std::int64_t i) { return totals[i].item<double>(); };
  share.report.loss = total(0) / total(2);
  share.report.correct = static_cast<int>(std::lround(total(1)));
  share.gradient.copy_(all.narrow(0, 0, trained) / total(2));
  share.statistics.copy_(all.narrow(0, trained, kept) / (keep_first ? 1.0 : total(3)));
  return {};
}

std::uint64_t dropout_seed(std::uint64_t seed, int rank, std::int64_t step) {
  return Rng::for_item(seed, static_cast<std::uint64_t>(rank), static_cast<std::uint64_t>(step)).next();
}

}  // namespace imago::nn
