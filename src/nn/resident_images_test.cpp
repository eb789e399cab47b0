// SPDX-License-Identifier: Apache-2.0
// Batches made where the learner computes against the plain way: data::augment and image::normalize, an image at a
// time.
#include <gmock/gmock.h>

#include "data/test_data.hpp"
#include "nn/test_networks.hpp"

namespace imago::nn {
namespace {

using data::Augmentation;
using data::Flip;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace testing;

constexpr std::uint64_t kSeed = 11;
constexpr int kImages = 9;

class Resident : public data::testing::FolderTest {
 protected:
  /// Images of noise, classes 0, 1, 2, 0, ...
  data::PackedSplit split(int width, int height) {
    preprocess_.width = width;
    preprocess_.height = height;
    data::Repository repository(folder() / "datasets");
    data::Manifest manifest{"noise", {"a", "b", "c"}, {}, {}};
    Rng rng(3);
    for (int i = 0; i < kImages; ++i) {
      image::Image image{width, height, {}};
      for (std::size_t k = 0; k < image.pixels() * 3; ++k)
        image.rgb.push_back(static_cast<std::uint8_t>(rng.below(256)));
      const auto object = repository.put_object(image::encode_png(image).value()).value();
      manifest.entries.push_back({fmt::format("{}", i), object, i % 3, data::Split::Train, width, height, ""});
    }
    return data::open_packed(repository, manifest, data::Split::Train, preprocess_, {}).value();
  }

  /// The last n images, from the last on.
  [[nodiscard]] Batch plain(const data::PackedSplit& images, const Augmentation& augmentation, int epoch,
                            int n = kImages) const {
    Batch batch{{.n = n, .channels = 3, .height = images.height(), .width = images.width(), .data = {}}, {}};
    batch.images.data.resize(static_cast<std::size_t>(n) * batch.images.item_size());
    std::vector<std::uint8_t> pixels(images.image(0).size());
    for (int i = 0; i < n; ++i) {
      const auto index = static_cast<std::size_t>(kImages - 1 - i);
      data::augment(images.image(index), images.width(), images.height(), augmentation, kSeed, epoch, index, pixels);
      image::normalize(pixels, preprocess_, batch.images.item(i));
      batch.labels.push_back(images.label(index));
    }
    return batch;
  }

  /// The same without their pixels.
  static Batch picked(const data::PackedSplit& images, const Augmentation& augmentation, int epoch, int n = kImages) {
    Batch batch{{.n = n, .channels = 3, .height = images.height(), .width = images.width(), .data = {}}, {}};
    for (int i = 0; i < n; ++i) {
      const auto index = static_cast<std::size_t>(kImages - 1 - i);
      batch.picks.push_back({index, data::place(augmentation, images.width(), images.height(), kSeed, epoch, index)});
      batch.labels.push_back(images.label(index));
    }
    return batch;
  }

  /// A linear network's weights move along each image's pixels: they stay equal only as long as all pixels are.
  void expect_same_bits(int width, int height, const Augmentation& augmentation) {
    const auto images = split(width, height);
    model::Graph graph{"flat", {3, height, width}, {}};
    graph.then("flatten", model::Flatten{});
    graph.then("fc", model::Linear{3});
    auto settings = sgd(0.0, false, 0.0);
    const auto with_pixels = learner_of(graph, settings);
    settings.data_on = DataOn::Device;
    const auto with_picks = learner_of(graph, settings);
    ASSERT_TRUE(with_picks->hold(images, preprocess_, augmentation).value().holds);
    for (int epoch = 0; epoch < 3; ++epoch) {
      for (const int n : {1, 2, kImages}) {
        ASSERT_TRUE(with_pixels->step(plain(images, augmentation, epoch, n), {.learning_rate = 0.1}));
        ASSERT_TRUE(with_picks->step(picked(images, augmentation, epoch, n), {.learning_rate = 0.1}));
        EXPECT_EQ(with_pixels->weights().value(), with_picks->weights().value()) << epoch << ' ' << n;
      }
    }
  }

  image::Preprocess preprocess_{.mean = {0.4914F, 0.4822F, 0.4465F}, .stddev = {0.2470F, 0.2435F, 0.2616F}};
};

TEST_F(Resident, MakesTheBatchesOfEveryRecipeThatOnlyMovesAndCutsToTheBit) {
  expect_same_bits(32, 32, {});                                                            // plain
  expect_same_bits(32, 32, {.flip = Flip::Random});                                        // gap-cnn
  expect_same_bits(32, 32, {.flip = Flip::Random, .crop_padding = 4});                     // improved-cnn
  expect_same_bits(32, 32, {.flip = Flip::Alternating, .crop_padding = 2});                // airbench94
  expect_same_bits(32, 32, {.flip = Flip::Random, .crop_padding = 4, .cutout = 8});        // resnet9
  expect_same_bits(32, 32, {.flip = Flip::Alternating, .crop_padding = 4, .cutout = 12});  // airbench96
}

TEST_F(Resident, ReflectsAndCutsAsFarAsTheSettingsGo) {
  expect_same_bits(10, 7, {.flip = Flip::Random, .crop_padding = 40, .cutout = 3});
  expect_same_bits(7, 10, {.crop_padding = 3, .cutout = 4096});
  expect_same_bits(2, 3, {.flip = Flip::Random, .crop_padding = 1, .cutout = 1});
}

TEST_F(Resident, TrainsToTheSameWeightsAsWithPixels) {
  const auto images = split(8, 8);
  const Augmentation augmentation{.flip = Flip::Random, .crop_padding = 2, .cutout = 3};
  const auto train = [&](DataOn place) {
    LearnerSettings settings;
    settings.data_on = place;
    const auto learner = learner_of(small_cnn(0.5F), settings);
    const auto holding = learner->hold(images, preprocess_, augmentation).value();
    EXPECT_EQ(holding.holds, place == DataOn::Device);
    EXPECT_THAT(holding.note, holding.holds ? HasSubstr("lie on cpu") : HasSubstr(""));
    for (int epoch = 0; epoch < 4; ++epoch) {
      const auto batch = holding.holds ? picked(images, augmentation, epoch) : plain(images, augmentation, epoch);
      const auto report = learner->step(batch, {});
      EXPECT_TRUE(report) << report.error().message;
    }
    return learner->weights().value();
  };
  EXPECT_EQ(train(DataOn::Device), train(DataOn::Host));
  EXPECT_EQ(train(DataOn::Auto), train(DataOn::Host));  // of which auto is the latter without a GPU
}

TEST_F(Resident, StaysInTheHostsMemoryForWhatTheDeviceCannotDoAndSaysWhy) {
  const auto images = split(8, 8);
  LearnerSettings settings;
  settings.data_on = DataOn::Device;
  const auto refused = learner_of(small_cnn(0.5F), settings)->hold(images, preprocess_, {.rotation = 0.1}).value();
  EXPECT_FALSE(refused.holds);
  EXPECT_THAT(refused.note, HasSubstr("only flip, crop_padding and cutout"));
  settings.freeze_backbone = true;
  const auto frozen = learner_of(small_cnn(0.5F), settings)->hold(images, preprocess_, {}).value();
  EXPECT_FALSE(frozen.holds);
  EXPECT_THAT(frozen.note, HasSubstr("frozen backbone"));
  settings = {};
  settings.data_on = DataOn::Host;
  EXPECT_THAT(learner_of(small_cnn(0.5F), settings)->hold(images, preprocess_, {}).value().note, IsEmpty());
}

TEST_F(Resident, RefusesImagesThatAreNotThere) {
  const auto images = split(8, 8);
  LearnerSettings settings;
  settings.data_on = DataOn::Device;
  const auto learner = learner_of(small_cnn(0.5F), settings);
  auto batch = picked(images, {}, 0);
  EXPECT_THAT(learner->step(batch, {}).error().message, HasSubstr("no images are held"));
  ASSERT_TRUE(learner->hold(images, preprocess_, {}).value().holds);
  EXPECT_TRUE(learner->step(batch, {}));
  batch.picks[4].image = kImages;
  EXPECT_THAT(learner->step(batch, {}).error().message, HasSubstr("image 9, but 9 are held"));
  batch.picks.pop_back();
  EXPECT_THAT(learner->step(batch, {}).error().message, HasSubstr("8 picks for 9 images"));
  const auto other = split(6, 8);
  ASSERT_TRUE(learner->hold(other, preprocess_, {}).value().holds);
  EXPECT_THAT(learner->step(picked(images, {}, 0), {}).error().message, HasSubstr("8 x 8 pixels, but the images held"));
}

}  // namespace
}  // namespace imago::nn
