// SPDX-License-Identifier: Apache-2.0
#include "data/perceptual_hash.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

#include "image/preprocess.hpp"

namespace imago::data {
namespace {

constexpr int kFrequencies = 8;
using Table = std::array<std::array<float, kHashSide>, kFrequencies>;

/// Row u - 1 is cos(pi (2 x + 1) u / 64). The DCT's scale does not matter to the order of its coefficients.
const Table& cosines() {
  static const Table table = [] {
    Table made{};
    for (int u = 1; u <= kFrequencies; ++u) {
      for (int x = 0; x < kHashSide; ++x)
        made[static_cast<std::size_t>(u - 1)][static_cast<std::size_t>(x)] =
            static_cast<float>(std::cos(std::numbers::pi * (2 * x + 1) * u / (2.0 * kHashSide)));
    }
    return made;
  }();
  return table;
}

std::vector<std::uint16_t> masks_up_to(int bits) {
  std::vector<std::uint16_t> masks;
  for (unsigned mask = 0; mask <= 0xFFFF; ++mask) {
    if (std::popcount(mask) <= bits) masks.push_back(static_cast<std::uint16_t>(mask));
  }
  return masks;
}

std::uint16_t part_of(std::uint64_t hash, int part) { return static_cast<std::uint16_t>(hash >> (16 * part)); }

/// The mean of each block of 2 x 2 pixels.
void halve(const image::Image& image, Fingerprint& into) {
  constexpr std::size_t kRow = std::size_t{kHashSide} * 3;
  for (std::size_t y = 0; y < Fingerprint::kSide; ++y) {
    for (std::size_t x = 0; x < Fingerprint::kSide; ++x) {
      for (std::size_t c = 0; c < 3; ++c) {
        const std::size_t at = 2 * y * kRow + 2 * x * 3 + c;
        const int sum = image.rgb[at] + image.rgb[at + 3] + image.rgb[at + kRow] + image.rgb[at + kRow + 3];
        into.thumbnail[(y * Fingerprint::kSide + x) * 3 + c] = static_cast<std::uint8_t>((sum + 2) / 4);
      }
    }
  }
}

}  // namespace

std::uint64_t perceptual_hash(std::span<const float> gray) {
  EXPECTS(gray.size() == std::size_t{kHashSide} * kHashSide, "32 x 32 brightnesses");
  const Table& table = cosines();
  std::array<float, std::size_t{kFrequencies} * kFrequencies> coefficients{};
  for (std::size_t y = 0; y < kHashSide; ++y) {
    for (std::size_t u = 0; u < kFrequencies; ++u) {
      float across = 0;
      for (std::size_t x = 0; x < kHashSide; ++x) across += gray[y * kHashSide + x] * table[u][x];
      for (std::size_t v = 0; v < kFrequencies; ++v) coefficients[v * kFrequencies + u] += across * table[v][y];
    }
  }
  auto sorted = coefficients;
  std::sort(sorted.begin(), sorted.end());
  const float median = (sorted[sorted.size() / 2 - 1] + sorted[sorted.size() / 2]) / 2;
  std::uint64_t hash = 0;
  for (std::size_t i = 0; i < coefficients.size(); ++i) {
    if (coefficients[i] > median) hash |= std::uint64_t{1} << i;
  }
  return hash;
}

Result<Fingerprint> fingerprint(image::Image image) {
  const image::Preprocess square{.width = kHashSide, .height = kHashSide};
  TRY(const auto small, image::resize(std::move(image), square));
  std::array<float, std::size_t{kHashSide} * kHashSide> gray{};
  for (std::size_t i = 0; i < gray.size(); ++i) {
    const auto* rgb = &small.rgb[i * 3];
    const auto channel = [&](int c) { return static_cast<float>(rgb[c]); };
    gray[i] = 0.299F * channel(0) + 0.587F * channel(1) + 0.114F * channel(2);
  }
  Fingerprint made{.hash = perceptual_hash(gray)};
  halve(small, made);
  return made;
}

double similarity(const Fingerprint& a, const Fingerprint& b) {
  std::int64_t sum_a = 0;
  std::int64_t sum_b = 0;
  std::int64_t sum_aa = 0;
  std::int64_t sum_bb = 0;
  std::int64_t sum_ab = 0;
  for (std::size_t i = 0; i < a.thumbnail.size(); ++i) {
    const int x = a.thumbnail[i];
    const int y = b.thumbnail[i];
    sum_a += x;
    sum_b += y;
    sum_aa += x * x;
    sum_bb += y * y;
    sum_ab += x * y;
  }
  const auto n = static_cast<std::int64_t>(a.thumbnail.size());
  const auto variances =
      static_cast<double>(n * sum_aa - sum_a * sum_a) * static_cast<double>(n * sum_bb - sum_b * sum_b);
  return variances <= 0 ? 0 : static_cast<double>(n * sum_ab - sum_a * sum_b) / std::sqrt(variances);
}

HashIndex::HashIndex() : masks_(masks_up_to(kPartRadius)) {
  for (auto& part : buckets_) part.resize(0x10000);
}

void HashIndex::insert(std::uint32_t id, std::uint64_t hash) {
  for (int part = 0; part < kParts; ++part)
    buckets_[static_cast<std::size_t>(part)][part_of(hash, part)].push_back({hash, id});
}

void HashIndex::find(std::uint64_t hash, const std::function<void(std::uint32_t, int)>& on_near) const {
  // Whoever is near in several parts is told of in the first.
  const auto first_part = [](std::uint64_t difference) {
    int part = 0;
    while (std::popcount(part_of(difference, part)) > kPartRadius) ++part;
    return part;
  };
  for (int part = 0; part < kParts; ++part) {
    const auto& buckets = buckets_[static_cast<std::size_t>(part)];
    for (const std::uint16_t mask : masks_) {
      for (const Item& item : buckets[part_of(hash, part) ^ mask]) {
        const std::uint64_t difference = item.hash ^ hash;
        const int distance = std::popcount(difference);
        if (distance <= kRadius && first_part(difference) == part) on_near(item.id, distance);
      }
    }
  }
}

std::vector<NearPair> find_near_pairs(std::span<const Fingerprint* const> images,
                                      const std::function<bool(std::size_t, std::size_t)>& on_progress) {
  std::vector<NearPair> pairs;
  HashIndex index;
  for (std::uint32_t i = 0; i < images.size(); ++i) {
    if (i % 256 == 0 && on_progress && !on_progress(i, images.size())) break;
    bool stands_in = false;  // an image that looks the same and has the same hash is in the index already
    index.find(images[i]->hash, [&](std::uint32_t other, int distance) {
      if (stands_in && distance == 0) return;
      const double alike = similarity(*images[i], *images[other]);
      if (alike < kNearSimilarity) return;
      pairs.push_back({other, i, distance, alike});
      stands_in = stands_in || distance == 0;
    });
    if (!stands_in) index.insert(i, images[i]->hash);
  }
  return pairs;
}

}  // namespace imago::data
