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

#include "monitor/history.hpp"
#include "monitor/model_metrics.hpp"

namespace imago::monitor {

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

/// Safe from any thread; cheap enough for every request.
class ServerMetrics {
 public:
  explicit ServerMetrics(std::string_view version);
  ~ServerMetrics();

  /// @param endpoint  the route's pattern ("/predict"), never a path a client chose. Past 100 different ones: "other".
  void count_request(std::string_view endpoint, int status, std::chrono::microseconds latency,
                     bool for_prediction = false);
  /// The same for the same model and version, unless its labels are others: then what was counted is gone. It must not
  /// outlive this.
  std::shared_ptr<ModelMetrics> model(const std::string& name, int version, const std::vector<std::string>& labels);
  /// By name and version; those that were unloaded too.
  [[nodiscard]] std::vector<std::shared_ptr<const ModelMetrics>> models() const;
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
