// SPDX-License-Identifier: Apache-2.0
#include "data/perceptual_hash.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <map>
#include <numbers>
#include <vector>

#include "base/rng.hpp"
#include "image/decode.hpp"
#include "image/encode.hpp"

namespace imago::data {
namespace {

/// Waves of the DCT's own frequencies; of (u, v) from 1 to 8 each, those whose bit is set in `bits` with `amplitude`,
/// the others upside down. Their coefficients are those amplitudes by definition, so their hash is `bits`.
std::vector<float> waves(std::uint64_t bits, float brightness = 128) {
  std::vector<float> gray(32 * 32, brightness);
  for (int i = 0; i < 64; ++i) {
    const int u = i % 8 + 1;
    const int v = i / 8 + 1;
    const float amplitude = ((bits >> i & 1) != 0 ? 1.0F : -1.0F) * (1.0F + static_cast<float>(i) / 64);
    for (int y = 0; y < 32; ++y) {
      for (int x = 0; x < 32; ++x)
        gray[static_cast<std::size_t>(y * 32 + x)] +=
            amplitude * static_cast<float>(std::cos(std::numbers::pi * (2 * x + 1) * u / 64) *
                                           std::cos(std::numbers::pi * (2 * y + 1) * v / 64));
    }
  }
  return gray;
}

/// A random bit string of which half are set, as the median asks for.
std::uint64_t balanced(Rng& rng) {
  std::uint64_t bits = 0;
  while (std::popcount(bits) < 32) bits |= std::uint64_t{1} << rng.below(64);
  return bits;
}

/// Smooth blobs, so that it survives what a photograph survives.
image::Image blobs(std::uint64_t seed, int side) {
  Rng rng(seed);
  image::Image made{side, side, std::vector<std::uint8_t>(static_cast<std::size_t>(side * side) * 3)};
  std::array<std::array<double, 6>, 12> blob{};
  for (auto& one : blob) {
    for (auto& value : one) value = rng.uniform();
  }
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      std::array<double, 3> colour{60, 60, 60};
      for (const auto& [cx, cy, size, r, g, b] : blob) {
        const double dx = (x + 0.5) / side - cx;
        const double dy = (y + 0.5) / side - cy;
        const double weight = std::exp(-(dx * dx + dy * dy) / (0.005 + 0.02 * size));
        colour[0] += 120 * r * weight;
        colour[1] += 120 * g * weight;
        colour[2] += 120 * b * weight;
      }
      for (std::size_t c = 0; c < 3; ++c)
        made.rgb[static_cast<std::size_t>(y * side + x) * 3 + c] =
            static_cast<std::uint8_t>(std::min(255.0, colour[c]));
    }
  }
  return made;
}

TEST(PerceptualHash, IsTheSignOfEachWaveInAnImageMadeOfWaves) {
  Rng rng(1);
  for (int i = 0; i < 50; ++i) {
    const auto bits = balanced(rng);
    EXPECT_EQ(perceptual_hash(waves(bits)), bits);
  }
  EXPECT_EQ(perceptual_hash(waves(0xFFFFFFFF00000000)), 0xFFFFFFFF00000000);
}

TEST(PerceptualHash, DoesNotSeeBrightness) {
  EXPECT_EQ(perceptual_hash(waves(0x0F0F0F0F0F0F0F0F, 10)), perceptual_hash(waves(0x0F0F0F0F0F0F0F0F, 240)));
}

TEST(PerceptualHash, TurnsEveryBitOfANegative) {
  auto gray = waves(0x3333333333333333);
  for (auto& value : gray) value = 255 - value;
  EXPECT_EQ(perceptual_hash(gray), ~std::uint64_t{0x3333333333333333});
}

TEST(Fingerprint, OfAStrongerJpegOfTheSamePictureIsNear) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto picture = blobs(seed, 64);
    const auto jpeg = image::encode_jpeg(picture, 60).value();
    const auto a = fingerprint(picture).value();
    const auto b = fingerprint(image::decode(std::as_bytes(std::span(jpeg))).value()).value();
    EXPECT_LE(std::popcount(a.hash ^ b.hash), 6) << seed;
    EXPECT_GT(similarity(a, b), 0.98) << seed;
  }
}

TEST(Fingerprint, SimilarityIsOneWithItselfAndMinusOneWithItsNegative) {
  const auto a = fingerprint(blobs(3, 32)).value();
  auto b = a;
  for (auto& value : b.thumbnail) value = static_cast<std::uint8_t>(255 - value);
  EXPECT_NEAR(similarity(a, a), 1, 1e-12);
  EXPECT_NEAR(similarity(a, b), -1, 1e-12);
  EXPECT_EQ(similarity(a, Fingerprint{}), 0) << "one colour has no likeness";
}

TEST(HashIndex, FindsExactlyWhatACompleteSearchFinds) {
  Rng rng(7);
  std::vector<std::uint64_t> hashes;
  for (int i = 0; i < 2000; ++i) {
    std::uint64_t hash = i % 4 == 0 || hashes.empty() ? rng.next() : hashes[rng.below(hashes.size())];
    for (std::uint64_t flips = rng.below(20); flips > 0; --flips) hash ^= std::uint64_t{1} << rng.below(64);
    hashes.push_back(hash);
  }
  HashIndex index;
  for (std::uint32_t i = 0; i < hashes.size(); ++i) index.insert(i, hashes[i]);
  std::size_t near = 0;
  for (const auto hash : hashes) {
    std::map<std::uint32_t, int> expected;
    for (std::uint32_t i = 0; i < hashes.size(); ++i) {
      if (const int distance = std::popcount(hash ^ hashes[i]); distance <= HashIndex::kRadius) expected[i] = distance;
    }
    std::map<std::uint32_t, int> found;
    index.find(hash,
               [&](std::uint32_t id, int distance) { EXPECT_TRUE(found.emplace(id, distance).second) << "twice"; });
    ASSERT_EQ(found, expected);
    near += expected.size();
  }
  EXPECT_GT(near, hashes.size() * 2) << "the test has something to find";
}

TEST(NearPairs, AreThoseThatLookAlikeAndTiesManyOfOneKindTogetherWithFewPairs) {
  std::vector<Fingerprint> prints;
  for (std::uint64_t seed = 0; seed < 30; ++seed) prints.push_back(fingerprint(blobs(seed, 48)).value());
  for (int copy = 0; copy < 1000; ++copy) prints.push_back(prints[5]);
  std::vector<const Fingerprint*> images;
  for (const auto& print : prints) images.push_back(&print);
  const auto pairs = find_near_pairs(images, {});
  ASSERT_EQ(pairs.size(), 1000);
  for (const auto& pair : pairs) {
    EXPECT_EQ(pair.first, 5);
    EXPECT_EQ(pair.distance, 0);
  }
}

}  // namespace
}  // namespace imago::data
