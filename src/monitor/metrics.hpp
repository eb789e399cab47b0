// SPDX-License-Identifier: Apache-2.0
// What the server counts while it runs, for Prometheus and for the dashboard. The series are listed in docs/api.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
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

/// Since the start.
struct Totals {
  std::int64_t requests = 0;         ///< for predictions, in all their forms, failed ones included
  std::int64_t predictions = 0;      ///< answered with a class
  std::int64_t errors = 0;           ///< requests for predictions answered with a status of 400 or more
  double latency_seconds_sum = 0.0;  ///< over `requests`

  /// 0 when there was no request.
  [[nodiscard]] double average_latency_seconds() const {
    return requests == 0 ? 0.0 : latency_seconds_sum / static_cast<double>(requests);
  }
};

/// Of one loaded model, since it was loaded. Times are sums over the images that were classified.
struct ModelTotals {
  struct Batches {
    std::int64_t images = 0;
    std::chrono::microseconds infer{0};  ///< a batch's time counts for each of its images
  };
  std::chrono::microseconds decode{0}, preprocess{0}, queue{0}, infer{0}, total{0};
  std::int64_t images = 0;
  std::int64_t failures = 0;  ///< requests that ended otherwise than Ok
  WallTime last;              ///< when an image was last classified
  std::map<int, Batches> by_batch_size;
};

/// The series of one model version, looked up once so that counting is a few additions. Safe from any thread; must not
/// outlive its ServerMetrics.
class ModelMetrics {
 public:
  struct Series;
  explicit ModelMetrics(std::unique_ptr<Series> series);
  ~ModelMetrics();
  /// @param class_index in [0, labels).
  void count_prediction(int class_index, const PredictionTiming& timing);
  /// Whether the model's policy relied on it; nothing is counted where it did.
  void count_doubt(model::Doubt doubt);
  /// Once for each request; predictions are counted beside it.
  void count_outcome(Outcome outcome);
  void set_queue_depth(std::size_t waiting);
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
  std::unique_ptr<Series> series_;
};

/// Safe from any thread; cheap enough for every request.
class ServerMetrics {
 public:
  explicit ServerMetrics(std::string_view version);
  ~ServerMetrics();

  /// @param endpoint  the route's pattern ("/predict"), never a path a client chose. Past 100 different ones: "other".
  void count_request(std::string_view endpoint, int status, std::chrono::microseconds latency,
                     bool for_prediction = false);
  /// Series of the same model and version are the same ones.
  std::shared_ptr<ModelMetrics> model(const std::string& name, int version, const std::vector<std::string>& labels);
  void set_queue_depth(std::size_t waiting);
  void set_ready(bool ready);

  [[nodiscard]] Totals totals() const;
  /// The last hour of what Totals counts.
  [[nodiscard]] const History& history() const;
  /// Of all models and versions since the start; labels that were never predicted are there with 0.
  [[nodiscard]] std::map<std::string, std::int64_t> predictions_by_label() const;
  /// Prometheus text exposition format 0.0.4, with this process's memory, CPU time and open files as they are now.
  [[nodiscard]] std::string prometheus_text() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace imago::monitor
