// SPDX-License-Identifier: Apache-2.0
#include "train/replay.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "base/rng.hpp"

namespace imago::train {

Result<ReplayRows> replay_rows(const data::PackedSplit& train, const data::Manifest& manifest,
                               const data::Manifest& parent, std::size_t images, std::uint64_t seed) {
  std::set<std::pair<std::string_view, std::string_view>> known;
  for (const data::Entry& entry : parent.entries)
    known.emplace(entry.sha256, parent.labels[static_cast<std::size_t>(entry.label)]);
  ReplayRows chosen;
  std::vector<std::size_t> old;
  for (std::size_t i = 0; i < train.size(); ++i) {
    const data::Entry& entry = manifest.entries[train.entry(i)];
    const bool is_old = known.contains({entry.sha256, manifest.labels[static_cast<std::size_t>(entry.label)]});
    (is_old ? old : chosen.rows).push_back(i);
  }
  chosen.fresh = chosen.rows.size();
  if (chosen.fresh == 0) {
    return fail(ErrorCode::InvalidArgument,
                "there is nothing new to learn from: every training image of {}@{} is in {}@{}", manifest.name,
                data::version_of(manifest), parent.name, data::version_of(parent));
  }
  Rng rng(seed);
  rng.shuffle(std::span(old));
  old.resize(std::min(old.size(), images));
  chosen.rows.insert(chosen.rows.end(), old.begin(), old.end());
  std::ranges::sort(chosen.rows);
  return chosen;
}

}  // namespace imago::train
