// SPDX-License-Identifier: Apache-2.0
// The bare engine: decode, preprocess and infer in a loop on some threads, no HTTP. What a server could do at most.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <vector>

#include "base/error.hpp"
#include "infer/engine.hpp"
#include "load/pictures.hpp"
#include "monitor/latency_histogram.hpp"

namespace imago::load {

struct EngineTrial {
  int batch = 1;
  int workers = 1;
  double seconds = 0.0;
  std::uint64_t images = 0;
  std::uint64_t wrong = 0;                  ///< of another class than the one by one
  monitor::FineLatencyHistogram latencies;  ///< of a batch, decoding included

  [[nodiscard]] double rate() const { return seconds > 0.0 ? static_cast<double>(images) / seconds : 0.0; }
};

/// The class of each picture, one by one. Fails for one that cannot be decoded.
Result<std::vector<int>> classes_by_engine(infer::Engine& engine, const image::Preprocess& preprocess,
                                           const Pictures& pictures);

/// @param expected  of classes_by_engine.
Result<EngineTrial> try_engine(const infer::Engine& engine, const image::Preprocess& preprocess,
                               const Pictures& pictures, const std::vector<int>& expected, int batch, int workers,
                               std::chrono::duration<double> seconds, const std::atomic<bool>& stop);

struct BatchAdvice {
  int max_batch = 1;
  int workers = 1;
  std::chrono::microseconds delay{0};
};

/// The smallest batch and the fewest workers within 5 % of the highest rate: larger ones only wait longer. A delay, a
/// quarter of a batch's time, only where batches more than double the rate: else they form while the workers compute.
BatchAdvice advise(const std::vector<EngineTrial>& trials);

}  // namespace imago::load
