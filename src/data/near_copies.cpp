// SPDX-License-Identifier: Apache-2.0
#include "data/near_copies.hpp"

#include <algorithm>
#include <bit>
#include <numeric>
#include <unordered_map>

namespace imago::data {
namespace {

/// Union-find; a set is called by its least member.
class Sets {
 public:
  explicit Sets(std::size_t n) : parent_(n) { std::iota(parent_.begin(), parent_.end(), std::uint32_t{0}); }

  std::uint32_t find(std::uint32_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void join(std::uint32_t a, std::uint32_t b) {
    const auto [low, high] = std::minmax({find(a), find(b)});
    parent_[high] = low;
  }

 private:
  std::vector<std::uint32_t> parent_;
};

constexpr int kParts = 4;
constexpr int kPartRadius = kNearBits / kParts;
constexpr std::size_t kBuckets = 0x10000;
/// Below this all with all is quicker than a walk over all pairs of buckets.
constexpr std::size_t kFew = 8'000;

std::size_t part_of(std::uint64_t hash, int part) { return static_cast<std::uint16_t>(hash >> (16 * part)); }

std::vector<std::size_t> masks_up_to(int bits) {
  std::vector<std::size_t> masks;
  for (unsigned mask = 0; mask < kBuckets; ++mask) {
    if (std::popcount(mask) <= bits) masks.push_back(mask);
  }
  return masks;
}

/// Hashes sorted by one of their parts.
struct Buckets {
  std::vector<std::uint32_t> first;  ///< [kBuckets + 1]
  std::vector<std::uint32_t> ids;
  std::vector<std::uint64_t> hashes;

  Buckets(std::span<const std::uint64_t> all, int part) : first(kBuckets + 1), ids(all.size()), hashes(all.size()) {
    for (const auto hash : all) ++first[part_of(hash, part) + 1];
    std::partial_sum(first.begin(), first.end(), first.begin());
    std::vector<std::uint32_t> next(first.begin(), first.end() - 1);
    for (std::uint32_t i = 0; i < all.size(); ++i) {
      const auto at = next[part_of(all[i], part)]++;
      ids[at] = i;
      hashes[at] = all[i];
    }
  }
};

using OnNear = std::function<void(std::uint32_t, std::uint32_t, int)>;

void compare_all(std::span<const std::uint64_t> hashes, const OnNear& on_near) {
  for (std::uint32_t j = 0; j < hashes.size(); ++j) {
    for (std::uint32_t i = 0; i < j; ++i) {
      if (const int distance = std::popcount(hashes[i] ^ hashes[j]); distance <= kNearBits) on_near(i, j, distance);
    }
  }
}

/// The pairs whose `part` differs by just `mask`, unless an earlier part is near as well: then they are told of there.
void compare_buckets(const Buckets& buckets, int part, std::size_t mask, const OnNear& on_near) {
  const auto is_first = [&](std::uint64_t difference) {
    for (int earlier = 0; earlier < part; ++earlier) {
      if (std::popcount(part_of(difference, earlier)) <= kPartRadius) return false;
    }
    return true;
  };
  for (std::size_t one = 0; one < kBuckets; ++one) {
    const std::size_t other = one ^ mask;
    if (other < one) continue;
    for (std::uint32_t i = buckets.first[one]; i < buckets.first[one + 1]; ++i) {
      const std::uint64_t hash = buckets.hashes[i];
      for (std::uint32_t j = mask == 0 ? i + 1 : buckets.first[other]; j < buckets.first[other + 1]; ++j) {
        const std::uint64_t difference = hash ^ buckets.hashes[j];
        const int distance = std::popcount(difference);
        if (distance > kNearBits || !is_first(difference)) continue;
        const auto [low, high] = std::minmax(buckets.ids[i], buckets.ids[j]);
        on_near(low, high, distance);
      }
    }
  }
}

bool look_the_same(const Fingerprint& a, const Fingerprint& b, double& alike) {
  alike = similarity(a, b);
  return alike >= kNearSimilarity && detail_similarity(a, b) >= kNearDetail;
}

/// Ties images with the same hash that look the same to the first of them, and leaves those firsts: a thousand copies
/// of one image are then one.
std::vector<std::uint32_t> tie_same_hashes(std::span<const Fingerprint* const> images, std::vector<NearPair>& pairs) {
  std::vector<std::uint32_t> firsts;
  std::unordered_map<std::uint64_t, std::vector<std::uint32_t>> by_hash;
  double alike = 0;
  for (std::uint32_t i = 0; i < images.size(); ++i) {
    if (is_blank(*images[i])) continue;
    auto& same = by_hash[images[i]->hash];
    const auto twin =
        std::find_if(same.begin(), same.end(), [&](auto j) { return look_the_same(*images[j], *images[i], alike); });
    if (twin != same.end()) {
      pairs.push_back({*twin, i, 0, alike});
    } else {
      same.push_back(i);
      firsts.push_back(i);
    }
  }
  return firsts;
}

}  // namespace

void find_near_hashes(std::span<const std::uint64_t> hashes, const OnNear& on_near, const OnCompare& on_progress) {
  if (hashes.size() < kFew) return compare_all(hashes, on_near);
  const auto masks = masks_up_to(kPartRadius);
  std::size_t done = 0;
  for (int part = 0; part < kParts; ++part) {
    const Buckets buckets(hashes, part);
    for (const auto mask : masks) {
      if (on_progress && !on_progress(done++, kParts * masks.size())) return;
      compare_buckets(buckets, part, mask, on_near);
    }
  }
}

std::vector<NearPair> find_near_pairs(std::span<const Fingerprint* const> images, const OnCompare& on_progress) {
  std::vector<NearPair> pairs;
  const auto firsts = tie_same_hashes(images, pairs);
  std::vector<std::uint64_t> hashes;
  for (const auto i : firsts) hashes.push_back(images[i]->hash);
  double alike = 0;
  const auto confirm = [&](std::uint32_t a, std::uint32_t b, int distance) {
    if (distance > 0 && look_the_same(*images[firsts[a]], *images[firsts[b]], alike))
      pairs.push_back({firsts[a], firsts[b], distance, alike});
  };
  find_near_hashes(hashes, confirm, on_progress);
  return pairs;
}

std::vector<NearGroup> group_near_copies(std::span<const Fingerprint* const> images, const OnCompare& on_progress) {
  const auto pairs = find_near_pairs(images, on_progress);
  Sets sets(images.size());
  for (const auto& pair : pairs) sets.join(pair.first, pair.second);
  std::vector<NearGroup> groups;
  std::unordered_map<std::uint32_t, std::size_t> of_set;
  for (const auto& pair : pairs) of_set.emplace(sets.find(pair.first), 0);
  for (std::uint32_t i = 0; i < images.size(); ++i) {
    const auto set = of_set.find(sets.find(i));
    if (set == of_set.end()) continue;
    if (set->first == i) {
      set->second = groups.size();
      groups.emplace_back();
    }
    groups[set->second].images.push_back(i);
  }
  for (const auto& pair : pairs) {
    NearGroup& group = groups[of_set.at(sets.find(pair.first))];
    group.similarity = std::min(group.similarity, pair.similarity);
    group.distance = std::max(group.distance, pair.distance);
  }
  return groups;
}

}  // namespace imago::data
