// SPDX-License-Identifier: Apache-2.0
#include "data/perceptual_hash.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <map>
#include <numbers>
#include <vector>

#include "base/rng.hpp"
#include "data/test_pictures.hpp"
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

}  // namespace
}  // namespace imago::data
