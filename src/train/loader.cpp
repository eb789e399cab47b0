// SPDX-License-Identifier: Apache-2.0
#include "train/loader.hpp"

#include <algorithm>
#include <numeric>

#include "base/rng.hpp"

namespace imago::train {
namespace {

constexpr std::size_t kBatchesAhead = 3;
constexpr std::uint64_t kOrderStream = ~std::uint64_t{0};  // apart from the streams of images, which augmentation uses

}  // namespace

std::int64_t batches_per_epoch(std::size_t images, int batch_size) {
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(images) / batch_size);
}

std::vector<std::size_t> epoch_order(std::size_t images, std::uint64_t seed, int epoch) {
  std::vector<std::size_t> order(images);
  std::iota(order.begin(), order.end(), std::size_t{0});
  Rng::for_item(seed, static_cast<std::uint64_t>(epoch), kOrderStream).shuffle(std::span(order));
  return order;
}

BatchLoader::BatchLoader(const data::PackedSplit& split, const image::Preprocess& preprocess, LoaderSettings settings,
                         int epoch, std::int64_t first_batch)
    : split_(split),
      preprocess_(preprocess),
      settings_(settings),
      ready_(kBatchesAhead),
      spare_(kBatchesAhead + 2),
      thread_([this, epoch, first_batch] { prepare_all(epoch, first_batch); }) {}

BatchLoader::~BatchLoader() {
  ready_.close();
  thread_.join();
}

nn::Batch BatchLoader::empty_batch(std::size_t images) {
  nn::Batch batch;
  if (spare_.size() > 0) batch = std::move(*spare_.pop());
  batch.images.n = static_cast<int>(images);
  batch.images.channels = 3;
  batch.images.height = split_.height();
  batch.images.width = split_.width();
  batch.images.data.resize(images * batch.images.item_size());
  batch.labels.resize(images);
  return batch;
}

void BatchLoader::prepare_all(int epoch, std::int64_t first_batch) {
  const auto order = epoch_order(split_.size(), settings_.seed, epoch);
  const std::size_t size = std::min(split_.size(), static_cast<std::size_t>(settings_.batch_size));
  const bool changes = settings_.augmentation != data::Augmentation{};
  std::vector<std::uint8_t> pixels(split_.image(0).size());
  for (std::int64_t b = first_batch; b < batches_per_epoch(split_.size(), settings_.batch_size); ++b) {
    nn::Batch batch = empty_batch(size);
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t index = order[static_cast<std::size_t>(b) * size + i];
      std::span<const std::uint8_t> image = split_.image(index);
      if (changes) {
        data::augment(image, split_.width(), split_.height(), settings_.augmentation, settings_.seed, epoch, index,
                      pixels);
        image = pixels;
      }
      image::normalize(image, preprocess_, batch.images.item(static_cast<int>(i)));
      batch.labels[i] = split_.label(index);
    }
    if (!ready_.push(std::move(batch))) return;
  }
  ready_.close();
}

image::ImageBatch load_images(const data::PackedSplit& split, const image::Preprocess& preprocess,
                              const std::vector<std::size_t>& indices) {
  image::ImageBatch batch{.n = static_cast<int>(indices.size()),
                          .channels = 3,
                          .height = split.height(),
                          .width = split.width(),
                          .data = {}};
  batch.data.resize(indices.size() * batch.item_size());
  for (std::size_t i = 0; i < indices.size(); ++i)
    image::normalize(split.image(indices[i]), preprocess, batch.item(static_cast<int>(i)));
  return batch;
}

}  // namespace imago::train
