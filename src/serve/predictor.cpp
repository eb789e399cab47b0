// SPDX-License-Identifier: Apache-2.0
#include "serve/predictor.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "serve/predict_input.hpp"

namespace imago::serve {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

Result<milliseconds> timeout_of(const http::Request& request, milliseconds most) {
  const auto text = request.header("X-Request-Timeout-Ms");
  if (text.empty()) return most;
  int value = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value).ptr;
  if (end != text.data() + text.size() || value < 1) {
    return fail(ErrorCode::InvalidArgument, "X-Request-Timeout-Ms is '{}', not a positive whole number", text);
  }
  return std::min(milliseconds(value), most);
}

}  // namespace

/// One request on its way.
struct Predictor::Job {
  Reply reply;
  std::shared_ptr<const ModelFace> face;
  AnswerOptions options;
  PredictInput input;
  steady_clock::time_point deadline;
  monitor::PredictionTiming timing;

  void answer(Result<std::vector<float>> logits, const infer::Timing& batch);
};

Predictor::Predictor(const PredictorOptions& options)
    : options_(options), decoders_(options.decode_threads, options.decode_queue) {}

void Predictor::predict(const std::shared_ptr<const LiveModel>& model, Reply reply) {
  if (model->is_full()) {
    return reply.fail({ErrorCode::ResourceExhausted, "too many images are waiting, try again"}, Blame::Service);
  }
  const http::Request& request = reply.request();
  const auto answer = answer_options(request);
  if (!answer) return reply.fail(answer.error(), Blame::Request);
  const auto timeout = timeout_of(request, options_.timeout);
  if (!timeout) return reply.fail(timeout.error(), Blame::Request);
  auto input = find_image(request, model->face()->spec.preprocess);
  if (!input) return reply.fail(input.error().status, input.error().error);

  const auto deadline = request.received + *timeout;
  auto job = std::make_shared<Job>(Job{std::move(reply), model->face(), *answer, std::move(*input), deadline, {}});
  if (is_small(*job)) return prepare_and_submit(*model, job);
  if (!decoders_.try_run([this, model, job] { prepare_and_submit(*model, job); })) {
    job->reply.fail({ErrorCode::ResourceExhausted, "too many large images are being decoded, try again"},
                    Blame::Service);
  }
}

bool Predictor::is_small(const Job& job) const {
  const auto* encoded = std::get_if<Encoded>(&job.input.image);
  if (encoded == nullptr) return std::get<image::Image>(job.input.image).pixels() <= options_.inline_pixels;
  if (encoded->bytes().size() > options_.inline_bytes) return false;
  const auto probe = image::probe(encoded->bytes(), options_.decode);
  if (!probe) return true;  // decoding will say why, at once
  return static_cast<std::size_t>(probe->width) * static_cast<std::size_t>(probe->height) <= options_.inline_pixels;
}

void Predictor::prepare_and_submit(const LiveModel& model, const std::shared_ptr<Job>& job) const {
  const auto start = steady_clock::now();
  if (start >= job->deadline) {
    return job->reply.fail({ErrorCode::Timeout, "the deadline passed before the image was decoded"}, Blame::Service);
  }
  const image::Preprocess& preprocess = job->face->spec.preprocess;
  Result<image::Image> decoded;
  if (const auto* encoded = std::get_if<Encoded>(&job->input.image)) {
    decoded = image::decode_for(preprocess, encoded->bytes(), options_.decode);
  } else {
    decoded = std::move(std::get<image::Image>(job->input.image));
  }
  if (!decoded) return job->reply.fail(decoded.error(), Blame::Request);
  const auto decoded_at = steady_clock::now();
  job->timing.decode = duration_cast<microseconds>(decoded_at - start);

  const auto resized = image::resize(std::move(*decoded), preprocess);
  if (!resized) return job->reply.fail(resized.error(), Blame::Service);
  std::vector<float> planes(resized->rgb.size());
  image::normalize(resized->rgb, preprocess, planes);
  job->timing.preprocess = duration_cast<microseconds>(steady_clock::now() - decoded_at);

  auto submitted = model.batcher().submit(std::move(planes), job->deadline,
                                          [job](Result<std::vector<float>> logits, const infer::Timing& timing) {
                                            job->answer(std::move(logits), timing);
                                          });
  if (!submitted) job->reply.fail(submitted.error(), Blame::Service);
}

void Predictor::Job::answer(Result<std::vector<float>> logits, const infer::Timing& batch) {
  if (!logits) return reply.fail(logits.error(), Blame::Service);
  if (!std::ranges::all_of(*logits, [](float x) { return std::isfinite(x); })) {
    return reply.fail({ErrorCode::Internal, "the network gave a score that is not finite"}, Blame::Service);
  }
  const auto probabilities = model::softmax(*logits, face->spec.temperature);
  const int index = model::argmax(*logits);
  timing.queue = batch.queue;
  timing.infer = batch.infer;
  timing.batch_size = batch.batch_size;
  timing.total = reply.elapsed();
  face->metrics->count_prediction(index, timing);
  reply.send_json_text(face->answers.write({.filename = input.filename,
                                            .probabilities = probabilities,
                                            .class_index = index,
                                            .latency_seconds = static_cast<double>(timing.total.count()) / 1e6,
                                            .time = system_clock().wall(),
                                            .request_id = reply.request_id()},
                                           options));
}

}  // namespace imago::serve
