// SPDX-License-Identifier: Apache-2.0
// Measurements for people and for programs.
#pragma once

#include <string>

#include "json/json.hpp"
#include "load/drive.hpp"

namespace imago::load {

/// Lines: rate, answers, percentiles, a histogram.
std::string in_words(const Measured& measured);
json::Value to_json(const Measured& measured);

/// "p50 1.23 ms, p90 ..., p99.9 ..., slowest ...".
std::string percentiles_in_words(const monitor::FineLatencyHistogram& latencies);
json::Value percentiles_json(const monitor::FineLatencyHistogram& latencies);

/// A bar for each of some spans between the fastest and the slowest, each twice as far as the one before or less.
std::string histogram_in_words(const monitor::FineLatencyHistogram& latencies);

}  // namespace imago::load
