// SPDX-License-Identifier: Apache-2.0
// The batches of an epoch, prepared ahead of the learner.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "base/queue.hpp"
#include "data/augment.hpp"
#include "data/packed.hpp"
#include "image/preprocess.hpp"
#include "nn/learner.hpp"
#include "train/sharding.hpp"

namespace imago::train {

struct LoaderSettings {
  int batch_size = 64;
  std::uint64_t seed = 1;
  data::Augmentation augmentation;
  int threads = 0;  ///< that prepare batches; 0: one, or more on a machine that has processors to spare
  int rank = 0;     ///< of each batch only this slice_of `ranks` is made, as it is in the whole
  int ranks = 1;
  bool picks = false;  ///< batches name their images and what becomes of them: for a learner that holds the split
};

/// How many batches an epoch has: the last, incomplete one is dropped unless it is the only one.
std::int64_t batches_per_epoch(std::size_t images, int batch_size);

/// The order of an epoch's images: a shuffle that depends on seed and epoch alone.
std::vector<std::size_t> epoch_order(std::size_t images, std::uint64_t seed, int epoch);

/// Threads that augment, mix and normalise batches a few ahead. What a batch holds depends on seed, epoch and its place
/// in the epoch alone, not on how many threads there are, and a run may go on from any batch. The arguments must
/// outlive this.
class BatchLoader {
 public:
  BatchLoader(const data::PackedSplit& split, const image::Preprocess& preprocess, LoaderSettings settings, int epoch,
              std::int64_t first_batch = 0);
  ~BatchLoader();
  BatchLoader(const BatchLoader&) = delete;
  BatchLoader& operator=(const BatchLoader&) = delete;

  /// Nothing after the epoch's last batch.
  std::optional<nn::Batch> next();
  /// Gives a used batch's memory back.
  void recycle(nn::Batch batch);

 private:
  void prepare_every(std::size_t step, std::int64_t first_batch, BoundedQueue<nn::Batch>& ready);
  void fill(nn::Batch& batch, std::span<const std::size_t> indices, std::vector<std::uint8_t>& pixels) const;
  void name(nn::Batch& batch, std::span<const std::size_t> indices) const;
  void fill_mixed(nn::Batch& batch, std::span<const std::size_t> indices, Slice slice,
                  std::vector<std::uint8_t>& pixels) const;
  [[nodiscard]] nn::Batch empty_batch(std::size_t images);

  const data::PackedSplit& split_;
  const image::Preprocess& preprocess_;
  const LoaderSettings settings_;
  const int epoch_;
  const std::vector<std::size_t> order_;
  std::vector<std::unique_ptr<BoundedQueue<nn::Batch>>> ready_;  // of each thread; batches are taken from them in turn
  std::size_t turn_ = 0;
  std::mutex spare_mutex_;
  std::vector<nn::Batch> spare_;  // guarded by spare_mutex_
  std::vector<std::thread> threads_;
};

/// Images without augmentation, by index.
image::ImageBatch load_images(const data::PackedSplit& split, const image::Preprocess& preprocess,
                              const std::vector<std::size_t>& indices);

}  // namespace imago::train
