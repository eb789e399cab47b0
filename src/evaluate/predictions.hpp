// SPDX-License-Identifier: Apache-2.0
// A classifier's answers to a whole split, and how long they took.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "data/packed.hpp"
#include "evaluate/calibration.hpp"
#include "json/json.hpp"
#include "model/abstention.hpp"
#include "model/classifier.hpp"

namespace imago::evaluate {

/// Logits of a whole split in batches.
Result<model::Logits> predict_split(model::Classifier& classifier, const data::PackedSplit& split,
                                    const image::Preprocess& preprocess,
                                    const std::function<void(std::size_t, std::size_t)>& on_progress);

/// Durations of calls that each answered `images_per_call` images (the last of a split may have fewer).
struct Latency {
  std::int64_t calls = 0;
  std::int64_t images_per_call = 0;
  double mean_ms = 0.0, p50_ms = 0.0, p99_ms = 0.0;  ///< of a call
  double images_per_second = 0.0;                    ///< all images by the time spent in calls
};

/// @param milliseconds one a call; none gives zeros. Percentiles are the smallest value that so many are not above.
Latency summarize(std::vector<double> milliseconds, std::int64_t images, std::int64_t images_per_call);

json::Value to_json(const Latency& latency);

/// A classifier that notes how long another takes.
class Stopwatch final : public model::Classifier {
 public:
  /// Both must outlive this.
  explicit Stopwatch(model::Classifier& inner, const Clock& clock = system_clock()) : inner_(inner), clock_(clock) {}
  [[nodiscard]] int classes() const override { return inner_.classes(); }
  Result<model::Logits> classify(const image::ImageBatch& batch) override;
  [[nodiscard]] Latency latency() const;

 private:
  model::Classifier& inner_;
  const Clock& clock_;
  std::vector<double> milliseconds_;
  std::int64_t images_ = 0;
  std::int64_t largest_call_ = 0;
};

/// Images one at a time, the first `most` of the split, after one that is not counted: what a lone request waits for.
Result<Latency> time_single_images(model::Classifier& classifier, const data::PackedSplit& split,
                                   const image::Preprocess& preprocess, std::size_t most,
                                   const Clock& clock = system_clock());

/// One image's answer beside the truth.
struct Answer {
  std::size_t entry = 0;  ///< of the manifest
  int truth = 0;
  int predicted = 0;
  double confidence = 0.0;         ///< probability of `predicted`
  double truth_probability = 0.0;  ///< probability of `truth`
  model::Doubt doubt = model::Doubt::None;

  [[nodiscard]] bool right() const { return truth == predicted; }
};

/// In the split's order. @param labels, entries one a row of `logits`.
std::vector<Answer> answers_of(const model::Logits& logits, std::span<const int> labels,
                               std::span<const std::size_t> entries, double temperature);

/// How well the confidence would be calibrated with another temperature. @param labels one a row, one or more.
Calibration calibration_of(const model::Logits& logits, std::span<const int> labels, double temperature);

/// Indices of the wrong ones, the surest first, at most `most`.
std::vector<std::size_t> worst_errors(std::span<const Answer> answers, std::size_t most);

}  // namespace imago::evaluate
