// SPDX-License-Identifier: Apache-2.0
#include "serve/recent_answers.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace imago::serve {
namespace {

std::uint64_t key_of(std::string_view request_id, int index) {
  constexpr std::uint64_t kGoldenRatio = 0x9e3779b97f4a7c15U;  // as splitmix64 steps
  return std::hash<std::string_view>{}(request_id) ^ (kGoldenRatio * (static_cast<std::uint64_t>(index) + 1));
}

}  // namespace

void RecentAnswers::keep(std::string_view request_id, int index, RecentAnswer answer) {
  const auto key = key_of(request_id, index);
  const std::size_t place = key % kSets;
  const std::scoped_lock lock(locks_[place % kLocks]);
  Set& set = sets_[place];
  auto slot = std::ranges::find_if(set.slots, [&](const Slot& known) { return known.answer.by && known.key == key; });
  if (slot == set.slots.end()) slot = set.slots.begin() + static_cast<std::ptrdiff_t>(set.next++ % kWays);
  slot->key = key;
  std::swap(slot->answer, answer);  // what was there goes after the lock
}

std::optional<RecentAnswer> RecentAnswers::find(std::string_view request_id, int index) const {
  const auto key = key_of(request_id, index);
  const std::size_t place = key % kSets;
  const std::scoped_lock lock(locks_[place % kLocks]);
  const Set& set = sets_[place];
  const auto slot =
      std::ranges::find_if(set.slots, [&](const Slot& known) { return known.answer.by && known.key == key; });
  return slot == set.slots.end() ? std::nullopt : std::optional(slot->answer);
}

}  // namespace imago::serve
