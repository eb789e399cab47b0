// SPDX-License-Identifier: Apache-2.0
#include "train/loader.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <set>

#include "train/test_split.hpp"

namespace imago::train {
namespace {

constexpr data::Augmentation kAugmentation{.flip = data::Flip::Random, .crop_padding = 1, .brightness = 0.5};

/// Which image an item was made of: its red.
std::size_t index_of(const image::ImageBatch& images, int i) {
  return static_cast<std::size_t>(std::lround(images.item(i)[0] * 255.0F));
}

class Loader : public testing::SplitTest {
 protected:
  Loader() : split_(open(data::Split::Train)) {}

  std::vector<nn::Batch> load(const LoaderSettings& settings, int epoch, std::int64_t first_batch = 0) {
    BatchLoader loader(split_, preprocess_, settings, epoch, first_batch);
    std::vector<nn::Batch> batches;
    while (auto batch = loader.next()) {
      batches.push_back(*batch);
      loader.recycle(std::move(*batch));
    }
    return batches;
  }

  data::PackedSplit split_;
};

void expect_equal(const std::vector<nn::Batch>& a, const std::vector<nn::Batch>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].images.data, b[i].images.data) << i;
    EXPECT_EQ(a[i].labels, b[i].labels) << i;
    EXPECT_EQ(a[i].second_labels, b[i].second_labels) << i;
    EXPECT_EQ(a[i].weights, b[i].weights) << i;
  }
}

TEST_F(Loader, GivesEveryImageOnceAnEpochWithItsLabel) {
  for (int epoch = 0; epoch < 3; ++epoch) {
    std::multiset<std::size_t> seen;
    const auto batches = load({.batch_size = 5, .seed = 3, .augmentation = {}}, epoch);
    ASSERT_EQ(batches.size(), 4U);
    for (const nn::Batch& batch : batches) {
      ASSERT_EQ(batch.images.n, 5);
      ASSERT_EQ(batch.labels.size(), 5U);
      for (int i = 0; i < 5; ++i) {
        const std::size_t index = index_of(batch.images, i);
        seen.insert(index);
        EXPECT_EQ(batch.labels[static_cast<std::size_t>(i)], split_.label(index));
        std::vector<float> expected(batch.images.item_size());
        image::normalize(split_.image(index), preprocess_, expected);
        EXPECT_THAT(batch.images.item(i), ::testing::ElementsAreArray(expected));
      }
    }
    EXPECT_EQ(std::set<std::size_t>(seen.begin(), seen.end()).size(), 20U);
    EXPECT_EQ(seen.size(), 20U);
  }
}

TEST_F(Loader, RepeatsItselfForTheSameSeedAndEpoch) {
  const LoaderSettings settings{.batch_size = 6, .seed = 5, .augmentation = kAugmentation};
  expect_equal(load(settings, 2), load(settings, 2));
}

TEST_F(Loader, ShufflesAnewForAnotherEpochAndSeed) {
  EXPECT_EQ(epoch_order(20, 1, 1), epoch_order(20, 1, 1));
  EXPECT_NE(epoch_order(20, 1, 1), epoch_order(20, 1, 2));
  EXPECT_NE(epoch_order(20, 1, 1), epoch_order(20, 2, 1));
}

TEST_F(Loader, AugmentsAnewInAnotherEpoch) {
  const LoaderSettings settings{.batch_size = 20, .seed = 5, .augmentation = kAugmentation};
  const auto sorted_values = [&](int epoch) {
    auto data = load(settings, epoch)[0].images.data;
    std::ranges::sort(data);  // the order of images no longer matters
    return data;
  };
  EXPECT_NE(sorted_values(0), sorted_values(1));
}

TEST_F(Loader, StartsInTheMiddleAsIfItHadComeThatFar) {
  const LoaderSettings settings{.batch_size = 3, .seed = 1, .augmentation = kAugmentation};
  auto all = load(settings, 4);
  ASSERT_EQ(all.size(), 6U);
  for (std::int64_t first = 0; first <= 6; ++first) {
    expect_equal(load(settings, 4, first), {all.begin() + first, all.end()});
  }
}

TEST_F(Loader, DropsAnIncompleteBatchUnlessItIsTheOnlyOne) {
  EXPECT_EQ(batches_per_epoch(20, 6), 3);
  EXPECT_EQ(batches_per_epoch(18, 6), 3);
  EXPECT_EQ(batches_per_epoch(5, 6), 1);
  EXPECT_EQ(load({.batch_size = 6, .seed = 1, .augmentation = {}}, 0).size(), 3U);
  const auto only = load({.batch_size = 64, .seed = 1, .augmentation = {}}, 0);
  ASSERT_EQ(only.size(), 1U);
  EXPECT_EQ(only[0].images.n, 20);
}

TEST_F(Loader, MayBeLeftBeforeTheEpochEnds) {
  for (int taken = 0; taken < 4; ++taken) {
    BatchLoader loader(split_, preprocess_, {.batch_size = 1, .seed = 1, .augmentation = {}}, 0);
    for (int i = 0; i < taken; ++i) EXPECT_TRUE(loader.next());
  }
}

TEST_F(Loader, GivesTheSameBatchesFromAnyNumberOfThreads) {
  LoaderSettings settings{.batch_size = 3, .seed = 2, .augmentation = kAugmentation, .threads = 1};
  settings.augmentation.randaugment_operations = 2;
  for (const double mixing : {0.0, 1.0}) {
    settings.augmentation.mixup = settings.augmentation.cutmix = mixing;
    for (const std::int64_t first : {0, 4}) {
      settings.threads = 1;
      const auto expected = load(settings, 1, first);
      for (const int threads : {2, 3, 8}) {
        settings.threads = threads;
        expect_equal(load(settings, 1, first), expected);
      }
    }
  }
}

TEST_F(Loader, MixesImagesAndTellsBothClassesByTheirShares) {
  const LoaderSettings settings{.batch_size = 20, .seed = 4, .augmentation = {.mixup = 1.0}};
  const auto batches = load(settings, 0);
  ASSERT_EQ(batches.size(), 1U);
  const nn::Batch& batch = batches[0];
  const auto order = epoch_order(20, 4, 0);
  ASSERT_EQ(batch.second_labels.size(), 20U);
  for (std::size_t i = 0; i < 20; ++i) {
    const std::size_t own = order[i];
    const std::size_t partner = order[(i + 19) % 20];
    // An image's red is its index, its class the index's parity: the red tells the share.
    const double red = batch.images.item(static_cast<int>(i))[0] * 255.0;
    ASSERT_GE(batch.weights[i], 0.5F);
    const std::size_t more = batch.labels[i] == split_.label(own) ? own : partner;
    const double as_own =
        batch.weights[i] * static_cast<double>(own) + (1.0 - batch.weights[i]) * static_cast<double>(partner);
    const double as_partner =
        batch.weights[i] * static_cast<double>(partner) + (1.0 - batch.weights[i]) * static_cast<double>(own);
    if (split_.label(own) != split_.label(partner)) {
      EXPECT_NEAR(red, more == own ? as_own : as_partner, 0.51) << i;
      EXPECT_EQ(batch.second_labels[i], split_.label(more == own ? partner : own));
    } else {
      EXPECT_TRUE(std::abs(red - as_own) < 0.51 || std::abs(red - as_partner) < 0.51) << i;
    }
  }
}

TEST_F(Loader, HasNoSecondClassesWithoutMixing) {
  for (const nn::Batch& batch : load({.batch_size = 5, .seed = 1, .augmentation = kAugmentation}, 0)) {
    EXPECT_TRUE(batch.second_labels.empty());
    EXPECT_TRUE(batch.weights.empty());
  }
}

TEST_F(Loader, LoadsImagesByIndexWithoutChange) {
  const auto images = load_images(split_, preprocess_, {7, 0, 19});
  ASSERT_EQ(images.n, 3);
  EXPECT_EQ(index_of(images, 0), 7U);
  EXPECT_EQ(index_of(images, 1), 0U);
  EXPECT_EQ(index_of(images, 2), 19U);
}

}  // namespace
}  // namespace imago::train
