// SPDX-License-Identifier: Apache-2.0
#include "evaluate/predictions.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

namespace imago::evaluate {
namespace {

constexpr std::size_t kBatch = 256;

double milliseconds_between(SteadyTime start, SteadyTime end) {
  return std::chrono::duration<double, std::milli>(end - start).count();
}

/// The smallest of the sorted values that at least this share of them is not above.
double percentile(const std::vector<double>& sorted, double share) {
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

}  // namespace

Result<model::Logits> predict_split(model::Classifier& classifier, const data::PackedSplit& split,
                                    const image::Preprocess& preprocess,
                                    const std::function<void(std::size_t, std::size_t)>& on_progress) {
  if (split.width() != preprocess.width || split.height() != preprocess.height) {
    return fail(ErrorCode::InvalidArgument, "the images are {} x {}, but the model takes {} x {}", split.width(),
                split.height(), preprocess.width, preprocess.height);
  }
  model::Logits all{.n = 0, .classes = classifier.classes(), .data = {}};
  all.data.reserve(split.size() * static_cast<std::size_t>(all.classes));
  image::ImageBatch batch{.n = 0, .channels = 3, .height = split.height(), .width = split.width(), .data = {}};
  for (std::size_t begin = 0; begin < split.size(); begin += kBatch) {
    const std::size_t count = std::min(kBatch, split.size() - begin);
    batch.n = static_cast<int>(count);
    batch.data.resize(count * batch.item_size());
    for (std::size_t i = 0; i < count; ++i) {
      image::normalize(split.image(begin + i), preprocess, batch.item(static_cast<int>(i)));
    }
    TRY(const auto logits, classifier.classify(batch));
    if (logits.n != batch.n || logits.classes != all.classes) {
      return fail(ErrorCode::Internal, "the classifier gave [{}, {}] for {} images of {} classes", logits.n,
                  logits.classes, batch.n, all.classes);
    }
    all.data.insert(all.data.end(), logits.data.begin(), logits.data.end());
    all.n += logits.n;
    if (on_progress) on_progress(begin + count, split.size());
  }
  return all;
}

Latency summarize(std::vector<double> milliseconds, std::int64_t images, std::int64_t images_per_call) {
  Latency latency{.calls = static_cast<std::int64_t>(milliseconds.size()), .images_per_call = images_per_call};
  if (milliseconds.empty()) return latency;
  std::ranges::sort(milliseconds);
  const double total = std::accumulate(milliseconds.begin(), milliseconds.end(), 0.0);
  latency.mean_ms = total / static_cast<double>(milliseconds.size());
  latency.p50_ms = percentile(milliseconds, 0.50);
  latency.p99_ms = percentile(milliseconds, 0.99);
  if (total > 0.0) latency.images_per_second = 1000.0 * static_cast<double>(images) / total;
  return latency;
}

json::Value to_json(const Latency& latency) {
  return {{"calls", latency.calls},     {"images_per_call", latency.images_per_call},
          {"mean_ms", latency.mean_ms}, {"p50_ms", latency.p50_ms},
          {"p99_ms", latency.p99_ms},   {"images_per_second", latency.images_per_second}};
}

Result<model::Logits> Stopwatch::classify(const image::ImageBatch& batch) {
  const SteadyTime start = clock_.steady();
  auto logits = inner_.classify(batch);
  milliseconds_.push_back(milliseconds_between(start, clock_.steady()));
  images_ += batch.n;
  largest_call_ = std::max<std::int64_t>(largest_call_, batch.n);
  return logits;
}

Latency Stopwatch::latency() const { return summarize(milliseconds_, images_, largest_call_); }

Result<Latency> time_single_images(model::Classifier& classifier, const data::PackedSplit& split,
                                   const image::Preprocess& preprocess, std::size_t most, const Clock& clock) {
  Stopwatch stopwatch(classifier, clock);
  image::ImageBatch one{.n = 1, .channels = 3, .height = split.height(), .width = split.width(), .data = {}};
  one.data.resize(one.item_size());
  for (std::size_t i = 0; i < std::min(most, split.size()); ++i) {
    image::normalize(split.image(i), preprocess, one.item(0));
    if (i == 0) TRY_VOID(classifier.classify(one));
    TRY_VOID(stopwatch.classify(one));
  }
  return stopwatch.latency();
}

std::vector<Answer> answers_of(const model::Logits& logits, std::span<const int> labels,
                               std::span<const std::size_t> entries, double temperature) {
  EXPECTS(labels.size() == static_cast<std::size_t>(logits.n) && entries.size() == labels.size(), "a label a row");
  std::vector<Answer> answers;
  answers.reserve(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto row = logits.row(static_cast<int>(i));
    const auto probabilities = model::softmax(row, temperature);
    const int said = model::argmax(row);
    answers.push_back({.entry = entries[i],
                       .truth = labels[i],
                       .predicted = said,
                       .confidence = probabilities[static_cast<std::size_t>(said)],
                       .truth_probability = probabilities[static_cast<std::size_t>(labels[i])]});
  }
  return answers;
}

Calibration calibration_of(const model::Logits& logits, std::span<const int> labels, double temperature) {
  EXPECTS(logits.n > 0 && labels.size() == static_cast<std::size_t>(logits.n), "a label a row");
  std::vector<double> confidence;
  std::vector<bool> right;
  for (int i = 0; i < logits.n; ++i) {
    const auto row = logits.row(i);
    const int said = model::argmax(row);
    confidence.push_back(model::softmax(row, temperature)[static_cast<std::size_t>(said)]);
    right.push_back(said == labels[static_cast<std::size_t>(i)]);
  }
  return measure_calibration(confidence, right);
}

std::vector<std::size_t> worst_errors(std::span<const Answer> answers, std::size_t most) {
  std::vector<std::size_t> wrong;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (!answers[i].right()) wrong.push_back(i);
  }
  std::ranges::stable_sort(wrong, [&](std::size_t a, std::size_t b) {
    return answers[a].confidence - answers[a].truth_probability > answers[b].confidence - answers[b].truth_probability;
  });
  wrong.resize(std::min(most, wrong.size()));
  return wrong;
}

}  // namespace imago::evaluate
