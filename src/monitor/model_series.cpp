// SPDX-License-Identifier: Apache-2.0
#include "monitor/model_series.hpp"

#include <prometheus/metric_family.h>

#include <algorithm>
#include <limits>
#include <string_view>

namespace imago::monitor {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::map<std::string, std::string>;

constexpr std::array<int, 8> kBatchSizes{1, 2, 4, 8, 16, 32, 64, 128};

double seconds(std::int64_t microseconds) { return static_cast<double>(microseconds) / 1e6; }

/// One family that grows by a series after the other.
class Family {
 public:
  Family(const char* name, const char* help, MetricType type) : family_{name, help, type, {}} {}

  void add(const Labels& labels, std::int64_t value) {
    auto& metric = next(labels);
    metric.counter.value = metric.gauge.value = static_cast<double>(value);
  }
  void add(const Labels& labels, const Durations& durations) {
    std::vector<double> bounds;
    for (const auto bound : Durations::kBounds) bounds.push_back(seconds(bound));
    add_histogram(labels, bounds, {durations.counts.begin(), durations.counts.end()}, seconds(durations.sum.count()));
  }
  void add(const Labels& labels, const std::map<int, ModelTotals::Batches>& by_batch_size) {
    std::vector<std::int64_t> counts(kBatchSizes.size() + 1);
    double sum = 0.0;
    for (const auto& [size, batches] : by_batch_size) {
      const auto bound = std::ranges::lower_bound(kBatchSizes, size) - kBatchSizes.begin();
      counts[static_cast<std::size_t>(bound)] += batches.images;
      sum += static_cast<double>(size) * static_cast<double>(batches.images);
    }
    add_histogram(labels, {kBatchSizes.begin(), kBatchSizes.end()}, counts, sum);
  }
  [[nodiscard]] MetricFamily take() { return std::move(family_); }

 private:
  prometheus::ClientMetric& next(const Labels& labels) {
    auto& metric = family_.metric.emplace_back();
    for (const auto& [name, value] : labels) metric.label.push_back({name, value});
    return metric;
  }
  /// `counts` has one more than `bounds`: those above all.
  void add_histogram(const Labels& labels, const std::vector<double>& bounds, const std::vector<std::int64_t>& counts,
                     double sum) {
    auto& histogram = next(labels).histogram;
    histogram.sample_sum = sum;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      histogram.sample_count += static_cast<std::uint64_t>(counts[i]);
      const double bound = i < bounds.size() ? bounds[i] : std::numeric_limits<double>::infinity();
      histogram.bucket.push_back({histogram.sample_count, bound});
    }
  }

  MetricFamily family_;
};

Labels with(Labels labels, const char* name, std::string_view value) {
  labels[name] = value;
  return labels;
}

/// The families of all models, filled model by model.
struct Families {
  Family predictions{"imago_predictions_total", "Images classified, by model, version and predicted label.",
                     MetricType::Counter};
  Family abstentions{"imago_abstentions_total", "Images classified but not relied on, by model, version and reason.",
                     MetricType::Counter};
  Family stages{"imago_prediction_stage_seconds",
                "Where the time of a prediction went: decode, preprocess, queue, infer, total.", MetricType::Histogram};
  Family batch_size{"imago_batch_size", "Size of the batch an image was computed in; one observation an image.",
                    MetricType::Histogram};
  Family requests{"imago_model_requests_total",
                  "Requests for predictions, by model, version, outcome and reason of a rejection.",
                  MetricType::Counter};
  Family in_flight{"imago_in_flight", "Requests for predictions at work, by model and version.", MetricType::Gauge};
  Family queue_depth{"imago_model_queue_depth", "Images waiting for the network, by model and version.",
                     MetricType::Gauge};

  void add(const ModelMetrics& model) {
    const Labels base{{"model", model.name()}, {"version", std::to_string(model.version())}};
    const ModelTotals totals = model.totals();
    for (std::size_t i = 0; i < totals.by_label.size(); ++i)
      predictions.add(with(base, "label", model.labels()[i]), totals.by_label[i]);
    abstentions.add(with(base, "reason", model::to_string(model::Doubt::Confidence)), totals.unsure);
    abstentions.add(with(base, "reason", model::to_string(model::Doubt::Energy)), totals.unfamiliar);
    for (const auto& [stage, durations] : {std::pair{"decode", &totals.decode},
                                           {"preprocess", &totals.preprocess},
                                           {"queue", &totals.queue},
                                           {"infer", &totals.infer},
                                           {"total", &totals.total}})
      stages.add(with(base, "stage", stage), *durations);
    batch_size.add(base, totals.by_batch_size);
    for (std::size_t i = 0; i < kOutcomes; ++i) {
      const auto [outcome, reason] = name_of(static_cast<Outcome>(i));
      auto labels = with(base, "outcome", outcome);
      if (*reason != '\0') labels["reason"] = reason;
      requests.add(labels, totals.by_outcome[i]);
    }
    in_flight.add(base, totals.in_flight);
    queue_depth.add(base, totals.queue_depth);
  }
};

}  // namespace

void append_models(const std::vector<std::shared_ptr<const ModelMetrics>>& models,
                   std::vector<MetricFamily>& families) {
  Families all;
  for (const auto& model : models) all.add(*model);
  for (auto* family : {&all.predictions, &all.abstentions, &all.stages, &all.batch_size, &all.requests, &all.in_flight,
                       &all.queue_depth})
    families.push_back(family->take());
}

}  // namespace imago::monitor
