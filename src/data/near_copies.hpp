// SPDX-License-Identifier: Apache-2.0
// Which of many images look the same: pairs, and groups of them.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "data/perceptual_hash.hpp"

namespace imago::data {

/// Told how far a search is; it stops by returning false. May be empty.
using OnCompare = std::function<bool(std::size_t done, std::size_t total)>;

inline constexpr int kNearBits = 15;

/// Calls `on_near(first, second, distance)`, first < second, once for each pair of hashes that differ in at most
/// kNearBits bits; in no order.
///
/// Few are compared all with all; many by multi-index hashing (Norouzi, Punjani, Fleet, CVPR 2012): such hashes differ
/// in at most 3 bits of one of their four 16-bit parts, so of all pairs of random hashes only 4 % are looked at, and
/// those bucket by bucket rather than here and there in memory.
void find_near_hashes(std::span<const std::uint64_t> hashes,
                      const std::function<void(std::uint32_t first, std::uint32_t second, int distance)>& on_near,
                      const OnCompare& on_progress);

/// A pair is near when the hashes differ in at most kNearBits bits, the thumbnails' correlation is at least
/// kNearSimilarity and that of their details at least kNearDetail. Measured on real images (docs/check.md): crops of 3
/// % on each side are at 0.85 or more, 99 of 100 at 0.89, and at 0.80; two things in front of one sky mostly below
/// 0.65.
inline constexpr double kNearSimilarity = 0.88;
inline constexpr double kNearDetail = 0.65;

struct NearPair {
  std::uint32_t first, second;  ///< first < second
  int distance;                 ///< bits of the hash
  double similarity;
};

/// The near pairs among `images`, blank ones left out. Of many that look alike, only as many pairs as tie them
/// together. Memory beside the fingerprints: some 40 bytes an image. Cost on real and on a million images:
/// docs/check.md.
std::vector<NearPair> find_near_pairs(std::span<const Fingerprint* const> images, const OnCompare& on_progress);

/// Images tied together by near pairs.
struct NearGroup {
  std::vector<std::uint32_t> images;  ///< two or more, ascending
  int distance = 0;                   ///< of its pair with the most different hashes
  double similarity = 1.0;            ///< of its least alike pair
};

/// Every image is in at most one group; those that look like no other are in none. In the order of their first images.
/// To be kept on one side of a split, for instance.
std::vector<NearGroup> group_near_copies(std::span<const Fingerprint* const> images, const OnCompare& on_progress);

}  // namespace imago::data
