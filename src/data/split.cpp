// SPDX-License-Identifier: Apache-2.0
#include "data/split.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <span>
#include <string>

#include "base/rng.hpp"

namespace imago::data {
namespace {

using Copies = std::vector<std::size_t>;  // entries with one content

bool any(const std::vector<Entry>& entries, Split split) {
  return std::any_of(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.split == split; });
}

/// Takes groups from the back of `groups` until `wanted` entries are marked; always leaves one group.
void take(std::vector<Entry>& entries, std::vector<Copies>& groups, std::size_t wanted, Split split) {
  std::size_t taken = 0;
  while (taken < wanted && groups.size() > 1) {
    for (const std::size_t i : groups.back()) entries[i].split = split;
    taken += groups.back().size();
    groups.pop_back();
  }
}

}  // namespace

void assign_splits(std::vector<Entry>& entries, const SplitRatios& ratios, std::uint64_t seed) {
  const double test = any(entries, Split::Test) ? 0.0 : ratios.test;
  const double validation = any(entries, Split::Validation) ? 0.0 : ratios.validation;
  std::map<int, std::map<std::string, Copies>> classes;  // ordered, so that chance alone decides, by content
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (entries[i].split == Split::Train) classes[entries[i].label][entries[i].sha256].push_back(i);
  for (auto& [label, contents] : classes) {
    std::vector<Copies> groups;
    std::size_t images = 0;
    for (auto& [digest, copies] : contents) {
      images += copies.size();
      groups.push_back(std::move(copies));
    }
    auto rng = Rng::for_item(seed, 0, static_cast<std::uint64_t>(label));
    rng.shuffle(std::span(groups));
    const auto share = [&](double ratio) {
      return static_cast<std::size_t>(std::lround(static_cast<double>(images) * ratio));
    };
    take(entries, groups, share(test), Split::Test);
    take(entries, groups, share(validation), Split::Validation);
  }
}

}  // namespace imago::data
