// SPDX-License-Identifier: Apache-2.0
#include "monitor/history.hpp"

#include <algorithm>

namespace imago::monitor {
namespace {

constexpr std::int64_t kFineSeconds = 600;
constexpr std::int64_t kCoarse = 10;  // seconds in a slot of the hour
constexpr std::int64_t kMaxPoints = 120;
constexpr std::array<std::int64_t, 6> kIntervals{1, 2, 5, 10, 20, 30};

}  // namespace

History::Slot& History::Ring::at(std::int64_t second) {
  const std::int64_t number = second / seconds_each;
  Slot& slot = slots[static_cast<std::size_t>(number) % slots.size()];
  if (slot.number != number) slot = Slot{.number = number};
  return slot;
}

const History::Slot* History::Ring::find(std::int64_t second) const {
  const std::int64_t number = second / seconds_each;
  const Slot& slot = slots[static_cast<std::size_t>(number) % slots.size()];
  return slot.number == number ? &slot : nullptr;
}

// One slot more than the span, for the one that is filling.
History::History(const Clock& clock)
    : clock_(clock),
      started_(clock.steady()),
      rings_{Ring{1, std::vector<Slot>(kFineSeconds + kCoarse)},
             Ring{kCoarse, std::vector<Slot>(kLongest.count() / kCoarse + 3)}} {}

std::chrono::duration<double> History::since_start() const { return clock_.steady() - started_; }

std::int64_t History::second_now() const {
  return std::chrono::duration_cast<std::chrono::seconds>(clock_.steady() - started_).count();
}

void History::record_request(std::chrono::microseconds latency, bool is_error) {
  const std::int64_t now = second_now();
  const std::scoped_lock lock(mutex_);
  for (auto& ring : rings_) {
    Slot& slot = ring.at(now);
    ++slot.requests;
    slot.errors += is_error ? 1 : 0;
    slot.microseconds += static_cast<std::uint64_t>(std::max<std::int64_t>(0, latency.count()));
    slot.latencies.add(latency);
  }
}

void History::record_prediction() {
  const std::int64_t now = second_now();
  const std::scoped_lock lock(mutex_);
  for (auto& ring : rings_) ++ring.at(now).predictions;
}

HistoryPoint History::point(const Ring& ring, std::int64_t begin, std::int64_t length, double now) const {
  HistoryPoint point;
  LatencyHistogram latencies;
  std::uint64_t microseconds = 0;
  for (std::int64_t second = begin; second < begin + length; second += ring.seconds_each) {
    const Slot* slot = ring.find(second);
    if (slot == nullptr) continue;
    point.requests += slot->requests;
    point.errors += slot->errors;
    point.predictions += slot->predictions;
    microseconds += slot->microseconds;
    latencies.add(slot->latencies);
  }
  // Of an interval that has hardly begun a rate would say nothing: it counts as a second at least.
  const double passed = std::clamp(now - static_cast<double>(begin), 1.0, static_cast<double>(length));
  point.throughput = static_cast<double>(point.requests) / passed;
  if (point.requests > 0) {
    point.latency = LatencySummary{.mean = std::chrono::microseconds(microseconds / point.requests),
                                   .p50 = latencies.quantile(0.50),
                                   .p95 = latencies.quantile(0.95),
                                   .p99 = latencies.quantile(0.99)};
  }
  return point;
}

HistoryView History::last(std::chrono::seconds span) const {
  const std::int64_t seconds = std::clamp<std::int64_t>(span.count(), 1, kLongest.count());
  const auto fits = [&](std::int64_t interval) { return seconds <= interval * kMaxPoints; };
  const std::int64_t interval = *std::find_if(kIntervals.begin(), kIntervals.end(), fits);
  const WallTime started_wall = clock_.wall() - std::chrono::duration_cast<WallTime::duration>(since_start());
  const double now = since_start().count();

  HistoryView view{.interval = std::chrono::seconds(interval), .points = {}};
  const std::scoped_lock lock(mutex_);
  const std::int64_t newest = static_cast<std::int64_t>(now) / interval;
  const std::int64_t oldest = std::max<std::int64_t>(0, newest + 1 - (seconds + interval - 1) / interval);
  const Ring& ring = seconds <= kFineSeconds ? rings_[0] : rings_[1];
  for (std::int64_t i = oldest; i <= newest; ++i) {
    view.points.push_back(point(ring, i * interval, interval, now));
    view.points.back().time = started_wall + std::chrono::seconds(i * interval);
  }
  return view;
}

}  // namespace imago::monitor
