// SPDX-License-Identifier: Apache-2.0
#include "data/augment_mix.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

namespace imago::data {
namespace {

using Pixels = std::vector<std::uint8_t>;

TEST(Beta, HasTheDistributionOfScipy) {
  // scipy 1.17.1: scipy.stats.beta(alpha, alpha).cdf([0.05, 0.25, 0.5, 0.75])
  const std::array<double, 4> at{0.05, 0.25, 0.5, 0.75};
  const std::vector<std::pair<double, std::array<double, 4>>> expected{
      {0.2, {0.29102506644252224, 0.41405551952147296, 0.5, 0.5859444804785267}},
      {1.0, {0.05, 0.25, 0.5, 0.75}},
      {4.0, {0.00019357812499999996, 0.070556640625, 0.5, 0.929443359375}}};
  constexpr int kDraws = 20'000;
  for (const auto& [alpha, shares] : expected) {
    Rng rng(11);
    std::array<int, 4> below{};
    for (int i = 0; i < kDraws; ++i) {
      const double draw = draw_beta(alpha, rng);
      for (std::size_t k = 0; k < at.size(); ++k) below[k] += draw <= at[k] ? 1 : 0;
    }
    for (std::size_t k = 0; k < at.size(); ++k)
      EXPECT_NEAR(static_cast<double>(below[k]) / kDraws, shares[k], 0.015) << alpha << " at " << at[k];
  }
}

TEST(Beta, OfATinyAlphaIsACoin) {
  Rng rng(1);
  int ones = 0;
  for (int i = 0; i < 1000; ++i) {
    const double draw = draw_beta(1e-6, rng);
    ASSERT_TRUE(draw >= 0 && draw <= 1) << draw;
    ones += draw > 0.5 ? 1 : 0;
  }
  EXPECT_NEAR(ones, 500, 64);
}

TEST(Mix, BlendsPixelsByTheShare) {
  // numpy.floor(0.3 * a + 0.7 * b + 0.5)
  Pixels image{0, 100, 255, 10, 20, 30};
  const Pixels partner{254, 50, 0, 30, 20, 10};
  mix({.share = 0.3}, 2, partner, image);
  EXPECT_EQ(image, (Pixels{178, 65, 77, 24, 20, 16}));
  mix({.share = 1.0}, 2, partner, image);
  EXPECT_EQ(image, (Pixels{178, 65, 77, 24, 20, 16}));
  mix({.share = 0.0}, 2, partner, image);
  EXPECT_EQ(image, partner);
}

TEST(Mix, PutsThePartnersRectangleIn) {
  Pixels image(4 * 3 * 3, 1);
  mix({.share = 0.5, .cut = true, .left = 1, .top = 0, .right = 4, .bottom = 2}, 4, Pixels(image.size(), 9), image);
  std::vector<int> reds;
  for (std::size_t i = 0; i < image.size(); i += 3) reds.push_back(image[i]);
  EXPECT_EQ(reds, (std::vector<int>{1, 9, 9, 9, 1, 9, 9, 9, 1, 1, 1, 1}));
}

TEST(Mix, PairsEveryImageWithTheOneBeforeItAsItWas) {
  Pixels images{10, 10, 10, 20, 20, 20, 40, 40, 40};  // three images of a pixel
  mix_batch(std::vector<Mix>(3, Mix{.share = 0.5}), 1, 1, images);
  EXPECT_EQ(images, (Pixels{25, 25, 25, 15, 15, 15, 30, 30, 30}));
  EXPECT_EQ(partner_of(0, 3), 2U);
  EXPECT_EQ(partner_of(2, 3), 1U);
}

TEST(Mix, ReckonsTheShareFromTheAreaThatIsCut) {
  constexpr int kWidth = 20, kHeight = 10;
  double total = 0;
  for (std::size_t i = 0; i < 2000; ++i) {
    const auto mix = draw_mix({.cutmix = 1}, kWidth, kHeight, 1, 0, i);
    ASSERT_TRUE(mix && mix->cut);
    ASSERT_TRUE(mix->left >= 0 && mix->top >= 0 && mix->right <= kWidth && mix->bottom <= kHeight);
    const int area = (mix->right - mix->left) * (mix->bottom - mix->top);
    EXPECT_DOUBLE_EQ(mix->share, 1.0 - area / 200.0);
    total += mix->share;
  }
  // torchvision 0.29.2's CutMix(alpha=1) on 20 x 10, mean of 20,000 of its lambdas: 0.7345.
  EXPECT_NEAR(total / 2000, 0.7345, 0.02);
}

TEST(Mix, DependsOnSeedEpochAndIndexAlone) {
  const Augmentation settings{.mixup = 1};
  const auto share = [&](std::uint64_t seed, int epoch, std::size_t index) {
    return draw_mix(settings, 8, 8, seed, epoch, index)->share;
  };
  EXPECT_EQ(share(1, 2, 3), share(1, 2, 3));
  EXPECT_NE(share(1, 2, 3), share(2, 2, 3));
  EXPECT_NE(share(1, 2, 3), share(1, 3, 3));
  EXPECT_NE(share(1, 2, 3), share(1, 2, 4));
}

TEST(Mix, OfBothKindsTossesACoin) {
  int cuts = 0;
  for (std::size_t i = 0; i < 1000; ++i) {
    EXPECT_FALSE(draw_mix({}, 8, 8, 1, 0, i));
    EXPECT_FALSE(draw_mix({.mixup = 1}, 8, 8, 1, 0, i)->cut);
    EXPECT_TRUE(draw_mix({.cutmix = 1}, 8, 8, 1, 0, i)->cut);
    cuts += draw_mix({.mixup = 1, .cutmix = 1}, 8, 8, 1, 0, i)->cut ? 1 : 0;
  }
  EXPECT_NEAR(cuts, 500, 64);  // four standard deviations
}

}  // namespace
}  // namespace imago::data
