// SPDX-License-Identifier: Apache-2.0
// What is counted of one model version: the one place that Prometheus, /v1/stats and the statistics of the Open
// Inference Protocol read.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "model/abstention.hpp"
#include "monitor/history.hpp"

namespace imago::monitor {

/// Where the time of one prediction went.
struct PredictionTiming {
  std::chrono::microseconds decode{0}, preprocess{0}, queue{0}, infer{0}, total{0};
  int batch_size = 1;
};

/// How a request for a prediction ended, as far as its model has to do with it.
enum class Outcome {
  Ok,
  Invalid,       ///< the request or its image was no good
  Failed,        ///< our fault
  QueueFull,     ///< the rest were refused: no place in front of the network,
  Displaced,     ///< the place was given to a request of higher priority,
  DecodersBusy,  ///< too many large images being decoded,
  Deadline,      ///< the client's deadline passed before anything was computed
};
inline constexpr std::size_t kOutcomes = 7;

/// "ok", "invalid", "failed", or "rejected" for a reason.
struct OutcomeName {
  const char* outcome;
  const char* reason;  ///< empty but for what is rejected
};
OutcomeName name_of(Outcome outcome);

/// How often something took how long.
struct Durations {
  /// In microseconds: from a tenth of a millisecond, where a small network answers, to ten seconds.
  static constexpr std::array<std::int64_t, 16> kBounds{100,       250,       500,       1'000,     2'500,   5'000,
                                                        10'000,    25'000,    50'000,    100'000,   250'000, 500'000,
                                                        1'000'000, 2'500'000, 5'000'000, 10'000'000};

  std::array<std::int64_t, kBounds.size() + 1> counts{};  ///< up to each bound; the last: above all
  std::chrono::microseconds sum{0};

  void add(std::chrono::microseconds duration);
  [[nodiscard]] std::int64_t count() const;
  /// 0 when empty.
  [[nodiscard]] std::chrono::microseconds mean() const;
  /// By interpolation between the bounds, as Prometheus does it; 0 when empty, the last bound for what is above it.
  [[nodiscard]] std::chrono::microseconds quantile(double share) const;
};

/// Since the server's start, also of a version that was unloaded and loaded again. Durations are of the images that
/// were classified.
struct ModelTotals {
  struct Batches {
    std::int64_t images = 0;
    std::chrono::microseconds infer{0};  ///< a batch's time counts for each of its images
  };
  Durations decode, preprocess, queue, infer, total;
  std::int64_t images = 0;
  WallTime last;  ///< when an image was last classified
  std::map<int, Batches> by_batch_size;
  std::vector<std::int64_t> by_label;
  std::array<std::int64_t, kOutcomes> by_outcome{};  ///< of requests
  std::int64_t unsure = 0, unfamiliar = 0;           ///< images that were abstained from
  std::int64_t in_flight = 0, queue_depth = 0;       ///< now

  /// Requests that ended otherwise than Ok.
  [[nodiscard]] std::int64_t failures() const;
  /// Of the batches that images were computed in, each image counted; 0 when there was none.
  [[nodiscard]] double mean_batch() const;
};

/// Safe from any thread; one short lock an image.
class ModelMetrics {
 public:
  /// `history`, which outlives this, is told of predictions.
  ModelMetrics(std::string name, int version, std::vector<std::string> labels, History& history);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] int version() const { return version_; }
  [[nodiscard]] const std::vector<std::string>& labels() const { return labels_; }

  /// @param class_index in [0, labels).
  void count_prediction(int class_index, const PredictionTiming& timing);
  /// Whether the model's policy relied on it; nothing is counted where it did.
  void count_doubt(model::Doubt doubt);
  /// Once for each request; predictions are counted beside it.
  void count_outcome(Outcome outcome);
  void set_queue_depth(std::size_t waiting) { queue_depth_ = static_cast<std::int64_t>(waiting); }
  [[nodiscard]] ModelTotals totals() const;

  /// One request at work, while this lives. Movable.
  class InFlight {
   public:
    explicit InFlight(std::shared_ptr<ModelMetrics> metrics);
    InFlight(InFlight&&) noexcept = default;
    InFlight& operator=(InFlight&&) = delete;
    ~InFlight();

   private:
    std::shared_ptr<ModelMetrics> metrics_;
  };

 private:
  const std::string name_;
  const int version_;
  const std::vector<std::string> labels_;
  History& history_;
  std::atomic<std::int64_t> in_flight_{0}, queue_depth_{0};
  mutable std::mutex mutex_;
  ModelTotals totals_;  // GUARDED_BY(mutex_), without in_flight and queue_depth
};

}  // namespace imago::monitor
