// SPDX-License-Identifier: Apache-2.0
#include "load/engine_trial.hpp"

#include <algorithm>
#include <mutex>
#include <optional>
#include <thread>

#include "base/files.hpp"
#include "image/preprocess.hpp"
#include "model/classifier.hpp"

namespace imago::load {
namespace {

using Clock = std::chrono::steady_clock;

/// Pictures `first` and those after it, going round, through all there is between a file and its class.
class Classify {
 public:
  Classify(infer::Engine& engine, const image::Preprocess& preprocess, const Pictures& pictures, int batch)
      : engine_(engine), preprocess_(preprocess), pictures_(pictures) {
    inputs_ = {.n = batch, .channels = 3, .height = preprocess.height, .width = preprocess.width, .data = {}};
    inputs_.data.resize(inputs_.item_size() * static_cast<std::size_t>(batch));
  }

  Result<model::Logits> operator()(std::size_t first) {
    for (int i = 0; i < inputs_.n; ++i) {
      const auto& bytes = pictures_[(first + static_cast<std::size_t>(i)) % pictures_.size()];
      TRY(const auto resized, image::decode_and_resize(as_bytes(bytes), preprocess_));
      image::normalize(resized.rgb, preprocess_, inputs_.item(i));
    }
    return engine_.classify(inputs_);
  }

 private:
  infer::Engine& engine_;
  const image::Preprocess& preprocess_;
  const Pictures& pictures_;
  image::ImageBatch inputs_;
};

/// What all workers of a trial share.
struct Shared {
  std::mutex mutex;  // guards what follows
  EngineTrial trial;
  std::optional<Error> error;
};

void work(infer::Engine& engine, const image::Preprocess& preprocess, const Pictures& pictures,
          const std::vector<int>& expected, Clock::time_point end, const std::atomic<bool>& stop, Shared& shared) {
  const int batch = shared.trial.batch;
  Classify classify(engine, preprocess, pictures, batch);
  EngineTrial own;
  std::optional<Error> error;
  for (auto now = Clock::now(); now < end && !stop && !error;) {
    const auto logits = classify(own.images);
    const auto then = std::exchange(now, Clock::now());
    if (!logits) {
      error = logits.error();
      break;
    }
    own.latencies.add(std::chrono::duration_cast<std::chrono::microseconds>(now - then));
    for (int i = 0; i < batch; ++i, ++own.images)
      own.wrong += model::argmax(logits->row(i)) == expected[own.images % expected.size()] ? 0 : 1;
  }
  const std::scoped_lock lock(shared.mutex);
  shared.trial.images += own.images;
  shared.trial.wrong += own.wrong;
  shared.trial.latencies.add(own.latencies);
  if (error) shared.error = std::move(error);
}

}  // namespace

Result<std::vector<int>> classes_by_engine(infer::Engine& engine, const image::Preprocess& preprocess,
                                           const Pictures& pictures) {
  Classify classify(engine, preprocess, pictures, 1);
  std::vector<int> classes;
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    TRY(const auto logits, classify(i));
    classes.push_back(model::argmax(logits.row(0)));
  }
  return classes;
}

Result<EngineTrial> try_engine(const infer::Engine& engine, const image::Preprocess& preprocess,
                               const Pictures& pictures, const std::vector<int>& expected, int batch, int workers,
                               std::chrono::duration<double> seconds, const std::atomic<bool>& stop) {
  Shared shared;
  shared.trial.batch = batch;
  shared.trial.workers = workers;
  const auto started = Clock::now();
  const auto end = started + std::chrono::duration_cast<Clock::duration>(seconds);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < workers; ++i)
      threads.emplace_back([&, own = std::shared_ptr<infer::Engine>(engine.clone())] {
        work(*own, preprocess, pictures, expected, end, stop, shared);
      });
  }
  if (shared.error) return tl::unexpected<Error>(*shared.error);
  shared.trial.seconds = std::chrono::duration<double>(Clock::now() - started).count();
  return shared.trial;
}

BatchAdvice advise(const std::vector<EngineTrial>& trials) {
  EXPECTS(!trials.empty(), "something was tried");
  double best = 0.0;
  for (const auto& trial : trials) best = std::max(best, trial.rate());
  const EngineTrial* chosen = nullptr;
  const EngineTrial* single = nullptr;
  for (const auto& trial : trials) {
    if (trial.batch == 1 && (single == nullptr || trial.rate() > single->rate())) single = &trial;
    if (trial.rate() < 0.95 * best) continue;
    const auto size = [](const EngineTrial& one) { return std::pair(one.batch, one.workers); };
    if (chosen == nullptr || size(trial) < size(*chosen)) chosen = &trial;
  }
  BatchAdvice advice{chosen->batch, chosen->workers, {}};
  if (single != nullptr && chosen->rate() > 2.0 * single->rate()) advice.delay = chosen->latencies.quantile(0.5) / 4;
  return advice;
}

}  // namespace imago::load
