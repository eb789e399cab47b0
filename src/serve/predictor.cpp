// SPDX-License-Identifier: Apache-2.0
#include "serve/predictor.hpp"

#include <algorithm>
#include <optional>

#include "serve/predict_input.hpp"
#include "serve/prepare.hpp"
#include "serve/scores.hpp"
#include "serve/urgency.hpp"

namespace imago::serve {
namespace {

using monitor::Outcome;
using std::chrono::steady_clock;

}  // namespace

/// One request on its way; in flight while it lives.
struct Predictor::Job {
  Job(Reply to, std::shared_ptr<const ModelFace> model, std::shared_ptr<RecentAnswers> answers)
      : reply(std::move(to)), face(std::move(model)), in_flight(face->metrics), recent(std::move(answers)) {}

  Reply reply;
  std::shared_ptr<const ModelFace> face;
  std::optional<monitor::ModelMetrics::InFlight> in_flight;  // until it is counted by its outcome
  std::shared_ptr<RecentAnswers> recent;                     // may outlive the Predictor, as this
  AnswerOptions options;
  PredictInput input;
  steady_clock::time_point deadline{};
  infer::Priority priority = infer::Priority::Normal;
  monitor::PredictionTiming timing;

  /// Reads what the request says; false when it has been answered because that was no good.
  bool read();
  void answer(Result<std::vector<float>> logits, const infer::Timing& batch);
  void count(Outcome outcome);
  void fail(Outcome outcome, const Error& error);
  void refuse(const infer::Batcher& batcher);
};

Predictor::Predictor(const PredictorOptions& options)
    : options_(options), decoders_(options.decode_threads, options.decode_queue) {}

void Predictor::predict(const std::shared_ptr<const LiveModel>& model, Reply reply) {
  auto job = std::make_shared<Job>(std::move(reply), model->face(), recent_);
  const auto urgency = urgency_of(job->reply.request(), options_.timeout);
  if (!urgency) return job->fail(Outcome::Invalid, urgency.error());
  job->priority = urgency->priority;
  job->deadline = job->reply.request().received + urgency->timeout;
  if (!model->batcher().admits(job->priority)) return job->refuse(model->batcher());
  if (!job->read()) return;
  if (is_small(*job)) return prepare_and_submit(*model, job);
  if (!decoders_.try_run([this, model, job] { prepare_and_submit(*model, job); }))
    job->fail(Outcome::DecodersBusy,
              {ErrorCode::ResourceExhausted, "too many large images are being decoded, try again"});
}

bool Predictor::Job::read() {
  const auto answer_as = answer_options(reply.request());
  if (!answer_as) {
    fail(Outcome::Invalid, answer_as.error());
    return false;
  }
  options = *answer_as;
  auto found = find_image(reply.request(), face->spec.preprocess);
  if (!found) {
    count(Outcome::Invalid);
    reply.fail(found.error().status, found.error().error);
    return false;
  }
  input = *std::move(found);
  return true;
}

/// Before the answer goes out: who has it finds it counted.
void Predictor::Job::count(Outcome outcome) {
  face->metrics->count_outcome(outcome);
  in_flight.reset();
}

void Predictor::Job::fail(Outcome outcome, const Error& error) {
  count(outcome);
  reply.fail(error, outcome == Outcome::Invalid ? Blame::Request : Blame::Service);
}

void Predictor::Job::refuse(const infer::Batcher& batcher) {
  count(Outcome::QueueFull);
  reply.send(queue_full(batcher, reply.request_id()));
}

int seconds_to_drain(const infer::Batcher& batcher) {
  return std::max(1, static_cast<int>(std::chrono::ceil<std::chrono::seconds>(batcher.time_to_drain()).count()));
}

http::Response queue_full(const infer::Batcher& batcher, std::string_view request_id) {
  auto response = error_response(503, to_string(ErrorCode::ResourceExhausted),
                                 fmt::format("{} images are waiting already, try again", batcher.queued()), request_id);
  response.headers["Retry-After"] = std::to_string(seconds_to_drain(batcher));
  return response;
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
  if (steady_clock::now() >= job->deadline) {
    return job->fail(Outcome::Deadline, {ErrorCode::Timeout, "the deadline passed before the image was decoded"});
  }
  auto prepared = prepare(job->input, job->face->spec.preprocess, options_.decode);
  if (!prepared)
    return job->fail(prepared.error().blame == Blame::Request ? Outcome::Invalid : Outcome::Failed,
                     prepared.error().error);
  job->timing.decode = prepared->decode;
  job->timing.preprocess = prepared->preprocess;

  const auto submitted = model.batcher().submit(
      std::move(prepared->planes), job->deadline,
      [job](Result<std::vector<float>> logits, const infer::Timing& timing) { job->answer(std::move(logits), timing); },
      job->priority);
  if (submitted) return;
  if (submitted.error().code == ErrorCode::ResourceExhausted) return job->refuse(model.batcher());
  job->fail(Outcome::Failed, submitted.error());
}

void Predictor::Job::answer(Result<std::vector<float>> logits, const infer::Timing& batch) {
  if (!logits) return fail(outcome_of(logits.error().code), logits.error());
  const auto said = said_of(*face, *logits);
  if (!said) return fail(Outcome::Failed, said.error());
  timing.queue = batch.queue;
  timing.infer = batch.infer;
  timing.batch_size = batch.batch_size;
  timing.total = reply.elapsed();
  serve::count(*face, *said, timing);
  count(Outcome::Ok);
  recent->keep(reply.request_id(), 0, {face->answers.by(), said->class_index, static_cast<float>(said->confidence())});
  auto prediction = prediction_of(*face, *said, timing);
  prediction.filename = input.filename;
  prediction.request_id = reply.request_id();
  reply.send_json_text(face->answers.write(prediction, options));
}

}  // namespace imago::serve
