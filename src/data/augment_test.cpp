// SPDX-License-Identifier: Apache-2.0
#include "data/augment.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "base/hash.hpp"
#include "image/warp.hpp"

namespace imago::data {
namespace {

constexpr int kSide = 8;

std::vector<std::uint8_t> ramp() {
  std::vector<std::uint8_t> image(kSide * kSide * 3);
  std::iota(image.begin(), image.end(), std::uint8_t{0});
  return image;
}

std::vector<std::uint8_t> apply(const Augmentation& augmentation, int epoch, std::size_t index,
                                std::uint64_t seed = 1) {
  const auto image = ramp();
  std::vector<std::uint8_t> out(image.size());
  augment(image, kSide, kSide, augmentation, seed, epoch, index, out);
  return out;
}

std::vector<std::uint8_t> mirror(const std::vector<std::uint8_t>& image) {
  std::vector<std::uint8_t> out(image.size());
  for (std::size_t y = 0; y < kSide; ++y)
    for (std::size_t x = 0; x < kSide; ++x)
      for (std::size_t k = 0; k < 3; ++k) out[(y * kSide + x) * 3 + k] = image[(y * kSide + kSide - 1 - x) * 3 + k];
  return out;
}

TEST(Augment, WithoutSettingsLeavesTheImageAsItIs) { EXPECT_EQ(apply({}, 3, 5), ramp()); }

TEST(Augment, DependsOnSeedEpochAndIndexAlone) {
  const Augmentation all{
      .flip = Flip::Random, .crop_padding = 2, .rotation = 0.1, .zoom = 0.1, .brightness = 0.2, .cutout = 3};
  EXPECT_EQ(apply(all, 1, 7), apply(all, 1, 7));
  EXPECT_NE(apply(all, 1, 7), apply(all, 2, 7));
  EXPECT_NE(apply(all, 1, 7), apply(all, 1, 8));
  EXPECT_NE(apply(all, 1, 7), apply(all, 1, 7, 2));
}

TEST(Augment, IsToldInFullByItsPlacementWhenItOnlyMovesAndCuts) {
  const auto image = ramp();
  for (const Augmentation& settings : {Augmentation{.flip = Flip::Random, .crop_padding = 3},
                                       Augmentation{.flip = Flip::Alternating, .crop_padding = 2, .cutout = 3}}) {
    ASSERT_TRUE(only_places(settings));
    for (std::size_t index = 0; index < 40; ++index) {
      const Placement at = place(settings, kSide, kSide, 1, 2, index);
      const auto out = apply(settings, 2, index);
      for (int y = 0; y < kSide; ++y) {
        for (int x = 0; x < kSide; ++x) {
          const bool cut = x >= at.cut_left && x < at.cut_left + settings.cutout && y >= at.cut_top &&
                           y < at.cut_top + settings.cutout;
          if (cut) continue;
          const int from_x = image::reflect((at.mirror ? kSide - 1 - x : x) + at.dx, kSide);
          const int from_y = image::reflect(y + at.dy, kSide);
          EXPECT_EQ(out[static_cast<std::size_t>(y * kSide + x) * 3],
                    image[static_cast<std::size_t>(from_y * kSide + from_x) * 3]);
        }
      }
    }
  }
}

TEST(Augment, IsNotToldByItsPlacementWhenItDoesMore) {
  EXPECT_TRUE(only_places({}));
  EXPECT_TRUE(only_places({.randaugment_magnitude = 3}));  // of no operations
  for (const Augmentation& settings :
       {Augmentation{.rotation = 0.1}, Augmentation{.zoom = 0.1}, Augmentation{.brightness = 0.1},
        Augmentation{.contrast = 0.1}, Augmentation{.saturation = 0.1}, Augmentation{.hue = 0.1},
        Augmentation{.randaugment_operations = 1}, Augmentation{.mixup = 0.1}, Augmentation{.cutmix = 0.1}})
    EXPECT_FALSE(only_places(settings));
}

TEST(Augment, RandomFlipMirrorsAboutHalf) {
  int mirrored = 0;
  for (std::size_t i = 0; i < 1000; ++i) {
    const auto out = apply({.flip = Flip::Random}, 0, i);
    ASSERT_TRUE(out == ramp() || out == mirror(ramp()));
    mirrored += out == ramp() ? 0 : 1;
  }
  EXPECT_NEAR(mirrored, 500, 60);  // four standard deviations
}

TEST(Augment, AlternatingFlipShowsBothSidesInAnyTwoEpochs) {
  for (std::size_t i = 0; i < 50; ++i) {
    const auto first = apply({.flip = Flip::Alternating}, 0, i);
    EXPECT_EQ(apply({.flip = Flip::Alternating}, 1, i), mirror(first));
    EXPECT_EQ(apply({.flip = Flip::Alternating}, 2, i), first);
  }
}

TEST(Augment, CropReachesEveryOffsetAndMirrorsTheBorderWithoutRepeatingTheEdge) {
  // numpy.pad(..., mode="reflect") of [0, 1, 2, ...] by 1 starts with 1, 0, 1.
  std::vector<std::uint8_t> row(kSide * 3);
  for (std::size_t i = 0; i < row.size(); ++i) row[i] = static_cast<std::uint8_t>(i / 3);
  std::vector<int> seen(3);
  for (std::size_t i = 0; i < 300; ++i) {
    std::vector<std::uint8_t> out(row.size());
    augment(row, kSide, 1, {.crop_padding = 1}, 1, 0, i, out);
    const int offset = out[3] - 1;  // the second pixel tells the shift
    ASSERT_GE(offset, -1);
    ASSERT_LE(offset, 1);
    ++seen[static_cast<std::size_t>(offset + 1)];
    EXPECT_EQ(out[0], offset == -1 ? 1 : offset);
    EXPECT_EQ(out[7 * 3], offset == 1 ? 6 : 7 + offset);
  }
  for (const int count : seen) EXPECT_NEAR(count, 100, 40);
}

TEST(Augment, WarpByNothingIsExact) {
  const Augmentation hardly{.rotation = 1e-12};
  EXPECT_EQ(apply(hardly, 0, 0), ramp());
}

TEST(Augment, BrightnessKeepsWithinItsFactor) {
  const std::vector<std::uint8_t> flat(kSide * kSide * 3, 100);
  for (std::size_t i = 0; i < 100; ++i) {
    std::vector<std::uint8_t> out(flat.size());
    augment(flat, kSide, kSide, {.brightness = 0.2}, 1, 0, i, out);
    EXPECT_GE(out[0], 80);
    EXPECT_LE(out[0], 120);
    EXPECT_EQ(std::vector<std::uint8_t>(out.size(), out[0]), out);
  }
}

TEST(Augment, CutoutCoversAtMostItsSquare) {
  for (std::size_t i = 0; i < 100; ++i) {
    const auto out = apply({.cutout = 4}, 0, i);
    const auto image = ramp();
    int changed = 0;
    for (std::size_t p = 0; p < out.size(); p += 3) changed += out[p] == image[p] && out[p + 1] == image[p + 1] ? 0 : 1;
    EXPECT_GE(changed, 1);
    EXPECT_LE(changed, 16);
  }
}

TEST(Augment, HueChangesColoursAndLeavesGrayAlone) {
  std::vector<std::uint8_t> image(kSide * kSide * 3, 90);
  std::vector<std::uint8_t> out(image.size());
  augment(image, kSide, kSide, {.hue = 0.5}, 1, 0, 0, out);
  EXPECT_EQ(out, image);
  for (std::size_t i = 0; i < image.size(); i += 3) image[i] = 200;
  int changed = 0;
  for (std::size_t i = 0; i < 20; ++i) {
    augment(image, kSide, kSide, {.hue = 0.5}, 1, 0, i, out);
    EXPECT_EQ(*std::max_element(out.begin(), out.end()), 200);
    EXPECT_EQ(*std::min_element(out.begin(), out.end()), 90);
    changed += out == image ? 0 : 1;
  }
  EXPECT_GE(changed, 18);
}

/// The changes of 24 images of noise in two epochs.
std::string digest(const Augmentation& augmentation) {
  std::vector<std::uint8_t> all;
  for (std::size_t i = 0; i < 24; ++i) {
    Rng rng(i);
    std::vector<std::uint8_t> image(32 * 24 * 3);
    std::vector<std::uint8_t> out(image.size());
    for (auto& value : image) value = static_cast<std::uint8_t>(rng.below(256));
    for (int epoch = 0; epoch < 2; ++epoch) {
      augment(image, 32, 24, augmentation, 7, epoch, i, out);
      all.insert(all.end(), out.begin(), out.end());
    }
  }
  return sha256(Bytes(std::as_bytes(std::span(all)))).substr(0, 16);
}

TEST(Augment, GivesTheSameBitsAsInTheFirstRelease) {
  // Taken before hue, RandAugment and mixing came: recipes without them must train as they did.
  EXPECT_EQ(digest({}), "2f1c6dd071746098");
  EXPECT_EQ(digest({.flip = Flip::Random, .crop_padding = 4}), "79e77d4cb3d41495");
  EXPECT_EQ(digest({.flip = Flip::Alternating, .crop_padding = 2}), "5fbb0dbf434493b6");
  EXPECT_EQ(digest({.flip = Flip::Random, .rotation = 0.1, .zoom = 0.1}), "8e78ae2044ab1af4");
  EXPECT_EQ(digest({.brightness = 0.2, .contrast = 0.3, .saturation = 0.4}), "f3609dd315b56906");
  EXPECT_EQ(digest({.flip = Flip::Random,
                    .crop_padding = 3,
                    .rotation = 0.05,
                    .zoom = 0.2,
                    .brightness = 0.2,
                    .contrast = 0.2,
                    .saturation = 0.2,
                    .cutout = 9}),
            "9761ecfb47951911");
}

TEST(AugmentationJson, GoesThereAndBack) {
  const Augmentation augmentation{.flip = Flip::Alternating,
                                  .crop_padding = 2,
                                  .rotation = 0.1,
                                  .saturation = 0.5,
                                  .hue = 0.25,
                                  .cutout = 8,
                                  .randaugment_operations = 2,
                                  .randaugment_magnitude = 14,
                                  .mixup = 0.2,
                                  .cutmix = 1.0};
  const auto back = augmentation_from_json(to_json(augmentation));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(*back, augmentation);
}

TEST(AugmentationJson, TakesARotationOfOneOrMoreAsDegrees) {
  EXPECT_EQ(augmentation_from_json({{"rotation", 0.125}})->rotation, 0.125);
  EXPECT_EQ(augmentation_from_json({{"rotation", 45}})->rotation, 0.125);
  EXPECT_EQ(augmentation_from_json({{"rotation", 180}})->rotation, 0.5);
}

TEST(AugmentationJson, NamesWhatIsWrong) {
  const auto refusal = [](const json::Value& settings) { return augmentation_from_json(settings).error().message; };
  EXPECT_THAT(refusal({{"flips", "random"}}),
              ::testing::AllOf(::testing::HasSubstr("no setting 'flips'"), ::testing::HasSubstr("crop_padding")));
  EXPECT_THAT(refusal({{"flip", "sometimes"}}), ::testing::HasSubstr("sometimes"));
  for (const double wrong : {-0.1, 0.75, 181.0}) {
    EXPECT_THAT(refusal({{"rotation", wrong}}), ::testing::HasSubstr(fmt::format("rotation is {}", wrong)));
  }
  EXPECT_THAT(refusal({{"hue", 0.6}}), ::testing::HasSubstr("hue is 0.6: from 0 to 0.5"));
  EXPECT_THAT(refusal({{"randaugment_operations", 17}}), ::testing::HasSubstr("from 0 to 16"));
  EXPECT_THAT(refusal({{"randaugment_magnitude", 31}}), ::testing::HasSubstr("from 0 to 30"));
  EXPECT_THAT(refusal({{"mixup", -1}}), ::testing::HasSubstr("mixup is -1: from 0 to 100"));
  EXPECT_THAT(refusal({{"cutmix", "much"}}), ::testing::HasSubstr("cutmix"));
}

}  // namespace
}  // namespace imago::data
