// SPDX-License-Identifier: Apache-2.0
// Requests to batches: a bounded queue in front of a few worker threads, each with its own engine. A worker takes what
// is waiting, up to max_batch, and runs it at once: a lone request waits for nobody, and under load batches form by
// themselves.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "base/error.hpp"
#include "image/image.hpp"
#include "infer/engine.hpp"

namespace imago::infer {

struct BatcherOptions {
  int workers = 0;    ///< 0: the engine's streams
  int max_batch = 8;  ///< larger ones gave no more on small networks here, and wait longer
  std::size_t max_queue = 1024;
};

/// One image's way through, for metrics.
struct Timing {
  std::chrono::microseconds queue{0};
  std::chrono::microseconds infer{0};
  int batch_size = 0;
};

/// Called on a worker thread; must not block.
using OnLogits = std::function<void(Result<std::vector<float>> logits, Timing timing)>;

class Batcher {
 public:
  /// The workers use clones of `engine`, which may go before this object does.
  Batcher(const Engine& engine, const BatcherOptions& options);
  /// Answers what is queued, then stops. Nobody may call submit any more.
  ~Batcher();

  /// Queues one preprocessed image [3, h, w]. Each accepted image is answered once: logits, Timeout when a worker gets
  /// to it after `deadline` (nothing is computed then), or the engine's error. ResourceExhausted at once when the queue
  /// is full, InvalidArgument when the image has another size; then `done` is not called. Safe from any thread.
  Result<void> submit(std::vector<float> image, std::chrono::steady_clock::time_point deadline, OnLogits done);

  [[nodiscard]] std::size_t queued() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace imago::infer
