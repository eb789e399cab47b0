// SPDX-License-Identifier: Apache-2.0
#include "data/near_copies.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <map>

#include "data/test_pictures.hpp"

namespace imago::data {
namespace {

std::vector<const Fingerprint*> pointers(const std::vector<Fingerprint>& prints) {
  std::vector<const Fingerprint*> made;
  for (const auto& print : prints) made.push_back(&print);
  return made;
}

image::Image brighter(image::Image picture) {
  for (auto& value : picture.rgb) value = static_cast<std::uint8_t>(std::min(255, value + 12));
  return picture;
}

/// A dark thing of 7 x 9 or of 9 x 7 pixels before a sky that grows brighter downwards.
image::Image in_the_sky(bool upright) {
  image::Image made{32, 32, {}};
  for (int y = 0; y < 32; ++y) {
    for (int x = 0; x < 32; ++x) {
      const int across = std::abs(x - 16);
      const int down = std::abs(y - 16);
      const bool thing = upright ? across < 2 && down < 6 : across < 6 && down < 2;
      for (const int sky : {60, 110, 180}) made.rgb.push_back(static_cast<std::uint8_t>(thing ? 50 : sky + 2 * y));
    }
  }
  return made;
}

using Found = std::map<std::pair<std::uint32_t, std::uint32_t>, int>;

Found find_all(const std::vector<std::uint64_t>& hashes) {
  Found found;
  find_near_hashes(hashes,
                   [&](std::uint32_t a, std::uint32_t b, int distance) {
                     EXPECT_LT(a, b);
                     EXPECT_TRUE(found.emplace(std::pair(a, b), distance).second) << "twice";
                   },
                   {});
  return found;
}

TEST(NearHashes, AreThoseThatACompleteSearchFindsAmongFewAndAmongMany) {
  Rng rng(7);
  std::vector<std::uint64_t> hashes;
  for (int i = 0; i < 10'000; ++i) {
    std::uint64_t hash = i % 4 == 0 || hashes.empty() ? rng.next() : hashes[rng.below(hashes.size())];
    for (std::uint64_t flips = rng.below(20); flips > 0; --flips) hash ^= std::uint64_t{1} << rng.below(64);
    hashes.push_back(hash);
  }
  Found expected;
  for (std::uint32_t j = 0; j < hashes.size(); ++j) {
    for (std::uint32_t i = 0; i < j; ++i) {
      if (const int distance = std::popcount(hashes[i] ^ hashes[j]); distance <= kNearBits) expected[{i, j}] = distance;
    }
  }
  EXPECT_GT(expected.size(), hashes.size()) << "the test has something to find";
  EXPECT_EQ(find_all(hashes), expected);
  hashes.resize(500);
  std::erase_if(expected, [](const auto& pair) { return pair.first.second >= 500; });
  EXPECT_EQ(find_all(hashes), expected);
}

TEST(NearPairs, AreThoseThatLookAlikeAndTiesManyOfOneKindTogetherWithFewPairs) {
  std::vector<Fingerprint> prints;
  for (std::uint64_t seed = 0; seed < 30; ++seed) prints.push_back(fingerprint(blobs(seed, 48)).value());
  for (int copy = 0; copy < 1000; ++copy) prints.push_back(prints[5]);
  const auto pairs = find_near_pairs(pointers(prints), {});
  ASSERT_EQ(pairs.size(), 1000);
  for (const auto& pair : pairs) {
    EXPECT_EQ(pair.first, 5);
    EXPECT_EQ(pair.distance, 0);
  }
}

TEST(NearPairs, OfTwoThingsInTheSameSkyAreNone) {
  const std::vector<Fingerprint> prints{fingerprint(in_the_sky(true)).value(), fingerprint(in_the_sky(false)).value()};
  EXPECT_GT(similarity(prints[0], prints[1]), 0.8) << "most of them is sky";
  EXPECT_LT(detail_similarity(prints[0], prints[1]), kNearDetail);
  EXPECT_NEAR(detail_similarity(prints[0], prints[0]), 1, 1e-9);
}

TEST(NearGroups, HoldEveryCopyOnceAndLeaveOutWhatLooksLikeNoOtherOrIsBlank) {
  std::vector<Fingerprint> prints;
  for (std::uint64_t seed = 0; seed < 20; ++seed) prints.push_back(fingerprint(blobs(seed, 48)).value());
  for (const std::uint64_t seed : {4U, 9U, 4U})
    prints.push_back(fingerprint(brighter(blobs(seed, seed == 9 ? 48 : 60))).value());
  const image::Image white{40, 40, std::vector<std::uint8_t>(std::size_t{40} * 40 * 3, 255)};
  for (int i = 0; i < 2; ++i) prints.push_back(fingerprint(white).value());
  const auto groups = group_near_copies(pointers(prints), {});
  ASSERT_EQ(groups.size(), 2);
  EXPECT_EQ(groups[0].images, (std::vector<std::uint32_t>{4, 20, 22}));
  EXPECT_EQ(groups[1].images, (std::vector<std::uint32_t>{9, 21}));
  EXPECT_GT(groups[1].similarity, 0.9);
}

TEST(NearGroups, StopWhenTold) {
  Rng rng(3);
  std::vector<Fingerprint> prints(9'000);
  for (auto& print : prints) {
    print.hash = rng.next();
    for (auto& value : print.thumbnail) value = static_cast<std::uint8_t>(rng.next());
  }
  std::size_t calls = 0;
  EXPECT_TRUE(group_near_copies(pointers(prints), [&](std::size_t, std::size_t) { return ++calls < 3; }).empty());
  EXPECT_EQ(calls, 3);
}

}  // namespace
}  // namespace imago::data
