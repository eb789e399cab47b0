// SPDX-License-Identifier: Apache-2.0
// Requests to batches: a bounded line in front of a few worker threads, each with its own engine. A worker takes what
// is waiting, up to max_batch, and runs it at once: a lone request waits for nobody, and under load batches form by
// themselves while the workers compute. With a max_delay they also wait for batches to fill, but only as long as there
// is company: after a batch of one nobody waits. Batchers with one ComputeBudget compute no more at once than it
// allows, however many workers they have.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "base/error.hpp"
#include "image/image.hpp"
#include "infer/compute_budget.hpp"
#include "infer/engine.hpp"
#include "infer/waiting_line.hpp"

namespace imago::infer {

struct BatcherOptions {
  int workers = 0;    ///< 0: the engine's streams
  int max_batch = 0;  ///< 0: fitting_batch
  std::size_t max_queue = 1024;
  std::chrono::microseconds max_delay{0};  ///< that an image waits for others when a worker is free

  bool operator==(const BatcherOptions&) const = default;
};

/// Images that are worth computing together: 8 small ones, of which more gave nothing and wait longer; of larger ones
/// as many as have 65,536 pixels, which is one of 224 x 224. A processor has enough to do with one large image, and the
/// memory that an engine keeps grows with the largest batch.
int fitting_batch(const model::InputShape& input);

class Batcher {
 public:
  /// The workers use clones of `engine`, which may go before this object does; they have computed batches of several
  /// sizes before this returns, so that no request waits for what an engine does once. Without a budget the workers
  /// have one of their own.
  Batcher(const Engine& engine, const BatcherOptions& options, std::shared_ptr<ComputeBudget> budget = nullptr);
  /// One worker for each of `engines`, which take images of `input`; options.workers means nothing here.
  Batcher(std::vector<std::unique_ptr<model::Classifier>> engines, const model::InputShape& input,
          const BatcherOptions& options, std::shared_ptr<ComputeBudget> budget = nullptr);
  /// Answers what is queued, then stops. Nobody may call submit any more.
  ~Batcher();

  /// Queues one preprocessed image [3, h, w]. Each accepted image is answered once, on a worker's thread: logits,
  /// Timeout when a worker gets to it after `deadline` (nothing is computed then), or the engine's error; or, on the
  /// thread of another submit, ResourceExhausted when the line was full and one of higher priority came.
  /// ResourceExhausted at once when the line is full, InvalidArgument when the image has another size; then `done` is
  /// not called. Safe from any thread.
  Result<void> submit(std::vector<float> image, SteadyTime deadline, OnLogits done,
                      Priority priority = Priority::Normal);

  /// Whether submit would find a place now: to refuse a request before anything is spent on it.
  [[nodiscard]] bool admits(Priority priority = Priority::Normal) const;
  [[nodiscard]] std::size_t queued() const;
  /// How long it takes to compute what waits now, at the speed of the last batches; 0 before the first.
  [[nodiscard]] std::chrono::microseconds time_to_drain() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace imago::infer
