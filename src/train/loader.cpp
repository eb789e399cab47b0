// SPDX-License-Identifier: Apache-2.0
#include "train/loader.hpp"

#include <algorithm>
#include <numeric>

#include "base/rng.hpp"
#include "data/augment_mix.hpp"

namespace imago::train {
namespace {

constexpr std::size_t kBatchesAhead = 3;
constexpr int kMostThreads = 8;                            // without being asked for more
constexpr std::uint64_t kOrderStream = ~std::uint64_t{0};  // apart from the streams of images, which augmentation uses

/// One in four processors: the learner needs the others.
std::size_t thread_count(const LoaderSettings& settings) {
  if (settings.threads > 0) return static_cast<std::size_t>(settings.threads);
  return static_cast<std::size_t>(
      std::clamp(static_cast<int>(std::thread::hardware_concurrency()) / 4, 1, kMostThreads));
}

/// The images of a slice of a batch, after the partner of the first when that is not one of them.
std::vector<std::size_t> with_partner(std::span<const std::size_t> batch, Slice slice) {
  std::vector<std::size_t> members;
  if (slice.size < batch.size()) members.push_back(batch[data::partner_of(slice.begin, batch.size())]);
  const auto own = batch.subspan(slice.begin, slice.size);
  members.insert(members.end(), own.begin(), own.end());
  return members;
}

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
      epoch_(epoch),
      order_(epoch_order(split.size(), settings.seed, epoch)) {
  const std::size_t threads = thread_count(settings);
  for (std::size_t i = 0; i < threads; ++i)
    ready_.push_back(std::make_unique<BoundedQueue<nn::Batch>>((kBatchesAhead + threads - 1) / threads));
  for (std::size_t i = 0; i < threads; ++i)
    threads_.emplace_back([this, i, threads, first_batch] {
      prepare_every(threads, first_batch + static_cast<std::int64_t>(i), *ready_[i]);
    });
}

BatchLoader::~BatchLoader() {
  for (const auto& queue : ready_) queue->close();
  for (auto& thread : threads_) thread.join();
}

std::optional<nn::Batch> BatchLoader::next() { return ready_[turn_++ % ready_.size()]->pop(); }

void BatchLoader::recycle(nn::Batch batch) {
  const std::scoped_lock lock(spare_mutex_);
  if (spare_.size() < kBatchesAhead + 2 * threads_.size()) spare_.push_back(std::move(batch));
}

nn::Batch BatchLoader::empty_batch(std::size_t images) {
  nn::Batch batch;
  if (const std::scoped_lock lock(spare_mutex_); !spare_.empty()) {
    batch = std::move(spare_.back());
    spare_.pop_back();
  }
  batch.images.n = static_cast<int>(images);
  batch.images.channels = 3;
  batch.images.height = split_.height();
  batch.images.width = split_.width();
  if (!settings_.picks) batch.images.data.resize(images * batch.images.item_size());
  batch.labels.resize(images);
  return batch;
}

void BatchLoader::prepare_every(std::size_t step, std::int64_t first_batch, BoundedQueue<nn::Batch>& ready) {
  const std::size_t size = std::min(split_.size(), static_cast<std::size_t>(settings_.batch_size));
  const Slice slice = slice_of(size, settings_.rank, settings_.ranks);
  const bool mixes = settings_.augmentation.mixup > 0 || settings_.augmentation.cutmix > 0;
  std::vector<std::uint8_t> pixels;
  for (std::int64_t b = first_batch; b < batches_per_epoch(split_.size(), settings_.batch_size);
       b += static_cast<std::int64_t>(step)) {
    nn::Batch batch = empty_batch(slice.size);
    const auto indices = std::span(order_).subspan(static_cast<std::size_t>(b) * size, size);
    const auto own = indices.subspan(slice.begin, slice.size);
    if (settings_.picks) {
      name(batch, own);
    } else if (mixes) {
      fill_mixed(batch, indices, slice, pixels);
    } else {
      fill(batch, own, pixels);
    }
    if (!ready.push(std::move(batch))) return;
  }
  ready.close();
}

void BatchLoader::fill(nn::Batch& batch, std::span<const std::size_t> indices,
                       std::vector<std::uint8_t>& pixels) const {
  const bool changes = settings_.augmentation != data::Augmentation{};
  pixels.resize(split_.image(0).size());
  for (std::size_t i = 0; i < indices.size(); ++i) {
    std::span<const std::uint8_t> image = split_.image(indices[i]);
    if (changes) {
      data::augment(image, split_.width(), split_.height(), settings_.augmentation, settings_.seed, epoch_, indices[i],
                    pixels);
      image = pixels;
    }
    image::normalize(image, preprocess_, batch.images.item(static_cast<int>(i)));
    batch.labels[i] = split_.label(indices[i]);
  }
}

void BatchLoader::name(nn::Batch& batch, std::span<const std::size_t> indices) const {
  batch.picks.resize(indices.size());
  for (std::size_t i = 0; i < indices.size(); ++i) {
    batch.picks[i] = {indices[i], data::place(settings_.augmentation, split_.width(), split_.height(), settings_.seed,
                                              epoch_, indices[i])};
    batch.labels[i] = split_.label(indices[i]);
  }
}

void BatchLoader::fill_mixed(nn::Batch& batch, std::span<const std::size_t> indices, Slice slice,
                             std::vector<std::uint8_t>& pixels) const {
  const auto members = with_partner(indices, slice);
  const std::size_t n = members.size();
  const std::size_t first = n - slice.size;
  batch.second_labels.resize(slice.size);
  batch.weights.resize(slice.size);
  const auto mixes = data::augment_and_mix(split_, members, settings_.augmentation, settings_.seed, epoch_, pixels);
  const std::size_t bytes = pixels.size() / n;
  for (std::size_t m = first; m < n; ++m) {
    const std::size_t i = m - first;
    image::normalize(std::span(pixels).subspan(m * bytes, bytes), preprocess_, batch.images.item(static_cast<int>(i)));
    const int own = split_.label(members[m]);
    const int partner = split_.label(members[data::partner_of(m, n)]);
    const bool more_of_own = mixes[m].share >= 0.5;  // what counts as right is the class there is more of
    batch.labels[i] = more_of_own ? own : partner;
    batch.second_labels[i] = more_of_own ? partner : own;
    batch.weights[i] = static_cast<float>(more_of_own ? mixes[m].share : 1.0 - mixes[m].share);
  }
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
