// SPDX-License-Identifier: Apache-2.0
#include "infer/batcher.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "infer/warm_up.hpp"

namespace imago::infer {
namespace {

using std::chrono::microseconds;

microseconds between(SteadyTime from, SteadyTime to) { return std::chrono::duration_cast<microseconds>(to - from); }

void answer_expired(std::vector<Waiting>& expired, SteadyTime now) {
  for (Waiting& item : expired) {
    const auto waited = between(item.queued, now);
    item.done(fail(ErrorCode::Timeout, "the deadline passed while the image waited {} ms for its turn",
                   waited.count() / 1000),
              Timing{.queue = waited, .infer = {}, .batch_size = 0});
  }
}

int batch_limit(const BatcherOptions& options, const model::InputShape& input) {
  return options.max_batch > 0 ? options.max_batch : fitting_batch(input);
}

std::vector<std::unique_ptr<model::Classifier>> warm_clones_of(const Engine& engine, const BatcherOptions& options) {
  std::vector<std::unique_ptr<model::Classifier>> clones;
  const int count = options.workers > 0 ? options.workers : engine.streams();
  for (int i = 0; i < count; ++i) clones.push_back(engine.clone());
  warm_up(clones, engine.input_shape(), batch_limit(options, engine.input_shape()));
  return clones;
}

}  // namespace

int fitting_batch(const model::InputShape& input) {
  constexpr int kPixels = 65'536;
  return std::clamp(kPixels / std::max(1, input.height * input.width), 1, 8);
}

struct Batcher::Impl {
  Impl(std::vector<std::unique_ptr<model::Classifier>> workers_engines, const model::InputShape& shape,
       const BatcherOptions& options, std::shared_ptr<ComputeBudget> shared_budget)
      : input(shape),
        max_batch(static_cast<std::size_t>(batch_limit(options, shape))),
        max_delay(options.max_delay),
        engines(std::move(workers_engines)),
        budget(shared_budget ? std::move(shared_budget)
                             : std::make_shared<ComputeBudget>(static_cast<int>(engines.size()))),
        line(std::max<std::size_t>(1, options.max_queue)) {
    for (auto& engine : engines) workers.emplace_back([this, own = engine.get()] { work(*own); });
  }

  ~Impl() {
    {
      const std::scoped_lock lock(mutex);
      closed = true;
    }
    wake.notify_all();
    for (auto& worker : workers) worker.join();
  }

  void work(model::Classifier& engine) {
    image::ImageBatch inputs{
        .n = 0, .channels = input.channels, .height = input.height, .width = input.width, .data = {}};
    std::unique_lock lock(mutex);
    for (;;) {
      wake.wait(lock, [&] { return closed || line.size() > 0; });
      if (line.size() == 0) return;  // closed, and all is answered
      wait_for_company(lock);
      lock.unlock();
      compute_batch(engine, inputs);
      lock.lock();
    }
  }

  void compute_batch(model::Classifier& engine, image::ImageBatch& inputs) {
    const ComputeBudget::Slot slot(*budget, account);  // while it waits, more images come and the batch grows
    const auto started = std::chrono::steady_clock::now();
    auto taken = take(started);
    answer_expired(taken.expired, started);
    if (taken.batch.empty()) return;
    run(engine, taken.batch, inputs, started);
    note_speed(taken.batch.size(), between(started, std::chrono::steady_clock::now()));
  }

  WaitingLine::Taken take(SteadyTime now) {
    const std::scoped_lock lock(mutex);
    auto taken = line.take(max_batch, now);
    if (!taken.batch.empty()) has_company = taken.batch.size() > 1;
    return taken;
  }

  void wait_for_company(std::unique_lock<std::mutex>& lock) {
    if (max_delay.count() == 0 || !has_company) return;
    while (!closed && line.size() > 0 && line.size() < max_batch) {
      if (wake.wait_until(lock, line.patience_ends(max_delay)) == std::cv_status::timeout) return;
    }
  }

  static void run(model::Classifier& engine, std::vector<Waiting>& batch, image::ImageBatch& inputs,
                  SteadyTime started) {
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

  /// An average over the last ten batches or so.
  void note_speed(std::size_t images, microseconds took) {
    const std::scoped_lock lock(mutex);
    const double now = static_cast<double>(took.count()) / static_cast<double>(images);
    microseconds_an_image = microseconds_an_image == 0.0 ? now : 0.9 * microseconds_an_image + 0.1 * now;
  }

  const model::InputShape input;
  const std::size_t max_batch;
  const microseconds max_delay;
  const std::vector<std::unique_ptr<model::Classifier>> engines;
  const std::shared_ptr<ComputeBudget> budget;
  ComputeBudget::Account account;

  std::mutex mutex;  // guards what follows but workers
  std::condition_variable wake;
  WaitingLine line;
  bool closed = false;
  bool has_company = false;  // the last batch had more than one image
  double microseconds_an_image = 0.0;
  std::vector<std::thread> workers;
};

Batcher::Batcher(const Engine& engine, const BatcherOptions& options, std::shared_ptr<ComputeBudget> budget)
    : Batcher(warm_clones_of(engine, options), engine.input_shape(), options, std::move(budget)) {}
Batcher::Batcher(std::vector<std::unique_ptr<model::Classifier>> engines, const model::InputShape& input,
                 const BatcherOptions& options, std::shared_ptr<ComputeBudget> budget)
    : impl_(std::make_unique<Impl>(std::move(engines), input, options, std::move(budget))) {}
Batcher::~Batcher() = default;

Result<void> Batcher::submit(std::vector<float> image, SteadyTime deadline, OnLogits done, Priority priority) {
  const auto& [channels, height, width] = impl_->input;
  const auto wanted =
      static_cast<std::size_t>(channels) * static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  if (image.size() != wanted)
    return fail(ErrorCode::InvalidArgument, "an image of {} numbers, the model takes {} x {} x {} = {}", image.size(),
                channels, height, width, wanted);
  Waiting item{std::move(image), std::chrono::steady_clock::now(), deadline, priority, std::move(done)};
  std::optional<Waiting> displaced;
  {
    const std::scoped_lock lock(impl_->mutex);
    if (!impl_->line.admits(priority))
      return fail(ErrorCode::ResourceExhausted, "{} images are waiting already: try again in a moment",
                  impl_->line.size());
    displaced = impl_->line.push(std::move(item));
  }
  impl_->wake.notify_one();
  if (displaced)
    displaced->done(fail(ErrorCode::ResourceExhausted, "the queue was full when a request of higher priority came"),
                    Timing{.queue = between(displaced->queued, std::chrono::steady_clock::now())});
  return {};
}

bool Batcher::admits(Priority priority) const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->line.admits(priority);
}

std::size_t Batcher::queued() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->line.size();
}

microseconds Batcher::time_to_drain() const {
  const std::scoped_lock lock(impl_->mutex);
  const double images = static_cast<double>(impl_->line.size()) / static_cast<double>(impl_->engines.size());
  return microseconds(static_cast<std::int64_t>(images * impl_->microseconds_an_image));
}

}  // namespace imago::infer
