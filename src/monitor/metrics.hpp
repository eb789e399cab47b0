// SPDX-License-Identifier: Apache-2.0
// What the server counts while it runs, for Prometheus and for the dashboard.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace imago::monitor {

/// Where the time of one prediction went.
struct PredictionTiming {
  std::chrono::microseconds decode{0}, preprocess{0}, queue{0}, infer{0}, total{0};
  int batch_size = 1;
};

struct Totals {
  std::int64_t requests = 0;     ///< to /predict in all its forms, failed ones included
  std::int64_t predictions = 0;  ///< answered with a class
  std::int64_t errors = 0;
  double latency_seconds_sum = 0.0;  ///< over `requests`
};

/// Safe from any thread; cheap enough for every request.
class ServerMetrics {
 public:
  ServerMetrics();
  ~ServerMetrics();

  void count_request(std::string_view endpoint, int status, std::chrono::microseconds latency);
  void count_prediction(std::string_view model, int version, std::string_view label, const PredictionTiming& timing);
  void set_queue_depth(std::size_t waiting);
  void set_ready(bool ready);

  [[nodiscard]] Totals totals() const;
  /// Prometheus text exposition format 0.0.4.
  [[nodiscard]] std::string prometheus_text() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace imago::monitor
