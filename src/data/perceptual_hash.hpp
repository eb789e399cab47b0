// SPDX-License-Identifier: Apache-2.0
// Whether two images look the same: a 64-bit hash to find candidates by, and a thumbnail to confirm them by. Of many
// images: near_copies.hpp.
#pragma once

#include <array>
#include <cstdint>
#include <span>

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

/// Likewise of what is left of the thumbnails once the mean of 5 x 5 pixels is taken away, the best of shifts by at
/// most one pixel: tells two birds in the same sky apart.
double detail_similarity(const Fingerprint& a, const Fingerprint& b);

/// No channel of the thumbnail has a standard deviation above kBlankDeviation: it looks like any other blank image.
bool is_blank(const Fingerprint& print);
inline constexpr double kBlankDeviation = 3.0;

}  // namespace imago::data
