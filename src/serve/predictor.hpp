// SPDX-License-Identifier: Apache-2.0
// From a request with an image to an answer: find, decode, preprocess, batch, write.
#pragma once

#include <chrono>
#include <memory>

#include "http/work_pool.hpp"
#include "image/decode.hpp"
#include "serve/live_model.hpp"
#include "serve/predict_input.hpp"
#include "serve/recent_answers.hpp"
#include "serve/reply.hpp"

namespace imago::serve {

struct PredictorOptions {
  image::DecodeLimits decode;
  std::chrono::milliseconds timeout{30'000};  ///< of a request; a client may ask for less (urgency.hpp)
  int decode_threads = 2;  ///< for images over `inline_bytes` or `inline_pixels`; smaller ones go on the event loop
  std::size_t decode_queue = 64;  ///< 503 when so many wait for those threads
  std::size_t inline_bytes = 64 * 1024;
  std::size_t inline_pixels = 256 * 256;
  std::size_t most_images = 128;  ///< in one request for many; 413 above
};

/// Until the images that wait are answered, in whole seconds, at least 1.
int seconds_to_drain(const infer::Batcher& batcher);
/// 503 at once, with that time.
http::Response queue_full(const infer::Batcher& batcher, std::string_view request_id);

/// Safe from any thread.
class Predictor {
 public:
  explicit Predictor(const PredictorOptions& options);

  /// Answers through `reply`, now or later, whatever happens.
  void predict(const std::shared_ptr<const LiveModel>& model, Reply reply);
  /// The same for many images at once (docs/api/predict.md): each has its own answer or its own error.
  void predict_many(const std::shared_ptr<const LiveModel>& model, Reply reply);

  [[nodiscard]] const std::shared_ptr<RecentAnswers>& recent() const { return recent_; }

 private:
  struct Job;
  struct Many;
  void prepare_and_submit(const LiveModel& model, const std::shared_ptr<Job>& job) const;
  [[nodiscard]] bool is_small(const Job& job) const;
  void prepare_and_submit_all(const LiveModel& model, const std::shared_ptr<Many>& many) const;
  void prepare_and_submit_one(const LiveModel& model, const std::shared_ptr<Many>& many, std::size_t index,
                              Result<PredictInput> input) const;

  const PredictorOptions options_;
  const std::shared_ptr<RecentAnswers> recent_ = std::make_shared<RecentAnswers>();
  http::WorkPool decoders_;
};

}  // namespace imago::serve
