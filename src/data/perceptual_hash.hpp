// SPDX-License-Identifier: Apache-2.0
// Whether two images look the same: a 64-bit hash to find candidates by, and a thumbnail to confirm them by.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "image/image.hpp"

namespace imago::data {

inline constexpr int kHashSide = 32;

/// The DCT hash of Zauner ("Implementation and Benchmarking of Perceptual Image Hash Functions", 2010, section 3.2.1):
/// bit 8 (v - 1) + (u - 1) is set when the coefficient of the two-dimensional DCT-II at horizontal frequency u and
/// vertical frequency v, both from 1 to 8, is above the median of the 64. The first row and column of the DCT are left
/// out, so brightness does not matter.
///
/// @param gray kHashSide * kHashSide brightnesses, row by row.
std::uint64_t perceptual_hash(std::span<const float> gray);

struct Fingerprint {
  static constexpr int kSide = 16;
  std::uint64_t hash = 0;
  std::array<std::uint8_t, std::size_t{kSide} * kSide * 3> thumbnail{};  ///< stretched to a square, interleaved RGB
};

Result<Fingerprint> fingerprint(image::Image image);

/// Correlation (Pearson) of two thumbnails, in [-1, 1]: neither brightness nor contrast matters. 0 when one is of one
/// colour.
double similarity(const Fingerprint& a, const Fingerprint& b);

/// Hashes by what they are near to, by multi-index hashing (Norouzi, Punjani, Fleet, CVPR 2012): two hashes that differ
/// in at most 15 bits differ in at most 3 of one of four 16-bit parts, so only 4 x 697 buckets are looked at.
class HashIndex {
 public:
  static constexpr int kRadius = 15;

  HashIndex();
  void insert(std::uint32_t id, std::uint64_t hash);
  /// Calls `on_near(id, distance)` once for each that differs in at most kRadius bits.
  void find(std::uint64_t hash, const std::function<void(std::uint32_t id, int distance)>& on_near) const;

 private:
  static constexpr int kParts = 4;
  static constexpr int kPartRadius = kRadius / kParts;
  struct Item {
    std::uint64_t hash;
    std::uint32_t id;
  };

  std::vector<std::uint16_t> masks_;  // what a part may differ by
  std::array<std::vector<std::vector<Item>>, kParts> buckets_;
};

struct NearPair {
  std::uint32_t first, second;  ///< first < second
  int distance;                 ///< bits of the hash
  double similarity;
};

/// A pair is near when the hashes differ in at most HashIndex::kRadius bits and the thumbnails' correlation is at least
/// this. Measured on real images (docs/check.md): crops of 3 % on each side are at 0.89 and above.
inline constexpr double kNearSimilarity = 0.88;

/// The near pairs among `images`. Of many that look alike, only as many pairs as tie them together. `on_progress(done,
/// total)` may be empty; it stops by returning false.
std::vector<NearPair> find_near_pairs(std::span<const Fingerprint* const> images,
                                      const std::function<bool(std::size_t, std::size_t)>& on_progress);

}  // namespace imago::data
