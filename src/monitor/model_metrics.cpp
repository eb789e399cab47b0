// SPDX-License-Identifier: Apache-2.0
#include "monitor/model_metrics.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.hpp"

namespace imago::monitor {

using std::chrono::microseconds;

OutcomeName name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::Ok: return {"ok", ""};
    case Outcome::Invalid: return {"invalid", ""};
    case Outcome::Failed: return {"failed", ""};
    case Outcome::QueueFull: return {"rejected", "queue_full"};
    case Outcome::Displaced: return {"rejected", "displaced"};
    case Outcome::DecodersBusy: return {"rejected", "decoders_busy"};
    case Outcome::Deadline: return {"rejected", "deadline"};
  }
  return {"failed", ""};
}

void Durations::add(microseconds duration) {
  const auto bound = std::ranges::lower_bound(kBounds, duration.count());
  ++counts[static_cast<std::size_t>(bound - kBounds.begin())];
  sum += duration;
}

std::int64_t Durations::count() const { return std::accumulate(counts.begin(), counts.end(), std::int64_t{0}); }

microseconds Durations::mean() const {
  const auto all = count();
  return all == 0 ? microseconds(0) : sum / all;
}

microseconds Durations::quantile(double share) const {
  const double wanted = share * static_cast<double>(count());
  double below = 0.0;
  for (std::size_t i = 0; i < kBounds.size(); ++i) {
    const auto here = static_cast<double>(counts[i]);
    if (counts[i] == 0 || below + here < wanted) {
      below += here;
      continue;
    }
    const double low = i == 0 ? 0.0 : static_cast<double>(kBounds[i - 1]);
    const double width = static_cast<double>(kBounds[i]) - low;
    return microseconds(std::llround(low + width * (wanted - below) / here));
  }
  return count() == 0 ? microseconds(0) : microseconds(kBounds.back());
}

std::int64_t ModelTotals::failures() const {
  const auto ok = by_outcome[static_cast<std::size_t>(Outcome::Ok)];
  return std::accumulate(by_outcome.begin(), by_outcome.end(), std::int64_t{0}) - ok;
}

double ModelTotals::mean_batch() const {
  double sum = 0.0;
  for (const auto& [size, batches] : by_batch_size)
    sum += static_cast<double>(size) * static_cast<double>(batches.images);
  return images == 0 ? 0.0 : sum / static_cast<double>(images);
}

ModelMetrics::ModelMetrics(std::string name, int version, std::vector<std::string> labels, History& history)
    : name_(std::move(name)), version_(version), labels_(std::move(labels)), history_(history) {
  totals_.by_label.resize(labels_.size());
}

void ModelMetrics::count_prediction(int class_index, const PredictionTiming& timing) {
  const auto index = static_cast<std::size_t>(class_index);
  EXPECTS(index < labels_.size(), "a class of the model");
  history_.record_prediction();
  const auto now = system_clock().wall();
  const std::scoped_lock lock(mutex_);
  ++totals_.by_label[index];
  totals_.decode.add(timing.decode);
  totals_.preprocess.add(timing.preprocess);
  totals_.queue.add(timing.queue);
  totals_.infer.add(timing.infer);
  totals_.total.add(timing.total);
  totals_.images += 1;
  totals_.last = now;
  auto& batches = totals_.by_batch_size[timing.batch_size];
  batches.images += 1;
  batches.infer += timing.infer;
}

void ModelMetrics::count_doubt(model::Doubt doubt) {
  if (doubt == model::Doubt::None) return;
  const std::scoped_lock lock(mutex_);
  ++(doubt == model::Doubt::Confidence ? totals_.unsure : totals_.unfamiliar);
}

void ModelMetrics::count_outcome(Outcome outcome) {
  const std::scoped_lock lock(mutex_);
  ++totals_.by_outcome[static_cast<std::size_t>(outcome)];
}

ModelTotals ModelMetrics::totals() const {
  const std::scoped_lock lock(mutex_);
  ModelTotals totals = totals_;
  totals.in_flight = in_flight_;
  totals.queue_depth = queue_depth_;
  return totals;
}

ModelMetrics::InFlight::InFlight(std::shared_ptr<ModelMetrics> metrics) : metrics_(std::move(metrics)) {
  metrics_->in_flight_.fetch_add(1, std::memory_order_relaxed);
}
ModelMetrics::InFlight::~InFlight() {
  if (metrics_) metrics_->in_flight_.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace imago::monitor
