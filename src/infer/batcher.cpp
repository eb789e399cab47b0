// SPDX-License-Identifier: Apache-2.0
#include "infer/batcher.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include "base/queue.hpp"

namespace imago::infer {
namespace {

using SteadyPoint = std::chrono::steady_clock::time_point;

std::chrono::microseconds between(SteadyPoint from, SteadyPoint to) {
  return std::chrono::duration_cast<std::chrono::microseconds>(to - from);
}

struct Waiting {
  std::vector<float> image;
  SteadyPoint queued;
  SteadyPoint deadline;
  OnLogits done;
};

/// Answers those whose time is over; the others stay.
void drop_expired(std::vector<Waiting>& batch, SteadyPoint now) {
  std::erase_if(batch, [&](Waiting& item) {
    if (item.deadline >= now) return false;
    const auto waited = between(item.queued, now);
    item.done(fail(ErrorCode::Timeout, "the deadline passed while the image waited {} ms for its turn",
                   waited.count() / 1000),
              Timing{.queue = waited, .infer = {}, .batch_size = 0});
    return true;
  });
}

}  // namespace

struct Batcher::Impl {
  Impl(const Engine& engine, const BatcherOptions& options)
      : input(engine.input_shape()),
        max_batch(static_cast<std::size_t>(std::max(1, options.max_batch))),
        queue(std::max<std::size_t>(1, options.max_queue)) {
    const int count = options.workers > 0 ? options.workers : engine.streams();
    for (int i = 0; i < count; ++i)
      workers.emplace_back([this, own = std::shared_ptr<Engine>(engine.clone())] { work(*own); });
  }

  ~Impl() {
    queue.close();
    for (auto& worker : workers) worker.join();
  }

  void work(Engine& engine) {
    image::ImageBatch inputs{
        .n = 0, .channels = input.channels, .height = input.height, .width = input.width, .data = {}};
    for (;;) {
      std::vector<Waiting> batch = queue.pop_some(max_batch);
      if (batch.empty()) return;
      const auto started = std::chrono::steady_clock::now();
      drop_expired(batch, started);
      if (!batch.empty()) run(engine, batch, inputs, started);
    }
  }

  static void run(Engine& engine, std::vector<Waiting>& batch, image::ImageBatch& inputs, SteadyPoint started) {
    inputs.n = static_cast<int>(batch.size());
    if (batch.size() == 1) {
      inputs.data = std::move(batch.front().image);
    } else {
      inputs.data.clear();
      for (const Waiting& item : batch) inputs.data.insert(inputs.data.end(), item.image.begin(), item.image.end());
    }
    const auto logits = engine.classify(inputs);
    const auto took = between(started, std::chrono::steady_clock::now());
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const Timing timing{.queue = between(batch[i].queued, started), .infer = took, .batch_size = inputs.n};
      if (!logits) {
        batch[i].done(tl::unexpected<Error>(logits.error()), timing);
      } else {
        const auto row = logits->row(static_cast<int>(i));
        batch[i].done(std::vector<float>(row.begin(), row.end()), timing);
      }
    }
  }

  const model::InputShape input;
  const std::size_t max_batch;
  BoundedQueue<Waiting> queue;
  std::vector<std::thread> workers;
};

Batcher::Batcher(const Engine& engine, const BatcherOptions& options)
    : impl_(std::make_unique<Impl>(engine, options)) {}
Batcher::~Batcher() = default;

Result<void> Batcher::submit(std::vector<float> image, SteadyPoint deadline, OnLogits done) {
  const auto& [channels, height, width] = impl_->input;
  const auto wanted =
      static_cast<std::size_t>(channels) * static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  if (image.size() != wanted)
    return fail(ErrorCode::InvalidArgument, "an image of {} numbers, the model takes {} x {} x {} = {}", image.size(),
                channels, height, width, wanted);
  Waiting item{std::move(image), std::chrono::steady_clock::now(), deadline, std::move(done)};
  if (!impl_->queue.try_push(item))
    return fail(ErrorCode::ResourceExhausted, "{} images are waiting already: try again in a moment",
                impl_->queue.size());
  return {};
}

std::size_t Batcher::queued() const { return impl_->queue.size(); }

}  // namespace imago::infer
