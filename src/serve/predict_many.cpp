// SPDX-License-Identifier: Apache-2.0
// Many images in one request: each goes its own way through the batcher, whose workers take them together, and the last
// one to come back writes the answer. docs/api/predict.md
#include <atomic>

#include "serve/json_writer.hpp"
#include "serve/predict_input.hpp"
#include "serve/predictor.hpp"
#include "serve/prepare.hpp"
#include "serve/scores.hpp"
#include "serve/urgency.hpp"

namespace imago::serve {

using monitor::Outcome;
using std::chrono::steady_clock;

/// One request on its way; in flight while it lives. Each image's thread writes its own item and no other.
struct Predictor::Many {
  Many(Reply to, std::shared_ptr<const ModelFace> model, std::shared_ptr<RecentAnswers> answers)
      : reply(std::move(to)), face(std::move(model)), in_flight(face->metrics), recent(std::move(answers)) {}

  struct Item {
    std::optional<std::string> filename;
    std::string json;
    bool failed = false;
  };

  Reply reply;
  std::shared_ptr<const ModelFace> face;
  std::optional<monitor::ModelMetrics::InFlight> in_flight;  // until the request is answered
  std::shared_ptr<RecentAnswers> recent;
  AnswerOptions options;
  Urgency urgency{};
  steady_clock::time_point deadline{};
  std::vector<Item> items;
  std::atomic<std::size_t> open{0};  // items without an answer

  /// The whole request is answered; none of its images was computed.
  void refuse(Outcome outcome, int status, const Error& error);
  void fail(std::size_t index, Outcome outcome, const Error& error, Blame blame);
  void answer(std::size_t index, monitor::PredictionTiming timing, Result<std::vector<float>> logits,
              const infer::Timing& batch);

 private:
  void finish();
};

void Predictor::Many::refuse(Outcome outcome, int status, const Error& error) {
  face->metrics->count_outcome(outcome);
  in_flight.reset();
  reply.fail(status, error);
}

void Predictor::Many::fail(std::size_t index, Outcome outcome, const Error& error, Blame blame) {
  face->metrics->count_outcome(outcome);
  const int status = http_status(error.code, blame);
  Item& item = items[index];
  item.failed = true;
  JsonWriter json(item.json);
  json.begin();
  json.field("index", static_cast<int>(index));
  if (item.filename) json.field("filename", *item.filename);
  json.field("status", status);
  json.field("code", to_string(error.code));
  json.field("error", status == 500 ? std::string_view("internal error") : std::string_view(error.message));
  json.end();
  finish();
}

void Predictor::Many::answer(std::size_t index, monitor::PredictionTiming timing, Result<std::vector<float>> logits,
                             const infer::Timing& batch) {
  if (!logits) return fail(index, outcome_of(logits.error().code), logits.error(), Blame::Service);
  const auto said = said_of(*face, *logits);
  if (!said) return fail(index, Outcome::Failed, said.error(), Blame::Service);
  timing.queue = batch.queue;
  timing.infer = batch.infer;
  timing.batch_size = batch.batch_size;
  timing.total = reply.elapsed();
  count(*face, *said, timing);
  face->metrics->count_outcome(Outcome::Ok);
  recent->keep(reply.request_id(), static_cast<int>(index),
               {face->answers.by(), said->class_index, static_cast<float>(said->confidence())});
  Item& item = items[index];
  auto prediction = prediction_of(*face, *said, timing);
  prediction.filename = item.filename;
  item.json = fmt::format("{{\"index\":{}", index);
  const std::string fields = face->answers.write(prediction, options);
  if (fields != "{}") item.json += ",";
  item.json.append(fields, 1);
  finish();
}

/// By whoever was last.
void Predictor::Many::finish() {
  if (open.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  in_flight.reset();
  const auto failed = std::ranges::count_if(items, &Item::failed);
  std::string out;
  JsonWriter json(out);
  json.begin();
  json.field("model", face->answers.by()->model);
  json.field("model_version", face->answers.by()->version);
  json.field("request_id", reply.request_id());
  json.field("timestamp", format_utc(system_clock().wall()));
  json.field("latency_seconds", static_cast<double>(reply.elapsed().count()) / 1e6);
  json.field("count", static_cast<int>(items.size()));
  json.field("failed", static_cast<int>(failed));
  json.key("predictions") += '[';
  for (const Item& item : items) {
    if (&item != &items.front()) out += ',';
    out += item.json;
  }
  out += ']';
  json.end();
  reply.send_json_text(std::move(out));
}

void Predictor::predict_many(const std::shared_ptr<const LiveModel>& model, Reply reply) {
  auto many = std::make_shared<Many>(std::move(reply), model->face(), recent_);
  const auto urgency = urgency_of(many->reply.request(), options_.timeout);
  const auto options = answer_options(many->reply.request());
  if (!urgency || !options) return many->refuse(Outcome::Invalid, 400, urgency ? options.error() : urgency.error());
  many->urgency = *urgency;
  many->options = for_each_of_many(*options);
  many->deadline = many->reply.request().received + urgency->timeout;
  if (!model->batcher().admits(urgency->priority)) {
    many->face->metrics->count_outcome(Outcome::QueueFull);
    many->in_flight.reset();
    return many->reply.send(queue_full(model->batcher(), many->reply.request_id()));
  }
  if (!decoders_.try_run([this, model, many] { prepare_and_submit_all(*model, many); }))
    many->refuse(Outcome::DecodersBusy, 503,
                 {ErrorCode::ResourceExhausted, "too many images are being decoded, try again"});
}

void Predictor::prepare_and_submit_all(const LiveModel& model, const std::shared_ptr<Many>& many) const {
  auto found = find_images(many->reply.request(), many->face->spec.preprocess, options_.most_images);
  if (!found) return many->refuse(Outcome::Invalid, found.error().status, found.error().error);
  const std::size_t count = found->size();
  many->items.resize(count);
  for (std::size_t i = 0; i < count; ++i) many->items[i].filename = (*found)[i].filename;
  many->open = count;
  for (std::size_t i = 0; i < count; ++i) prepare_and_submit_one(model, many, i, std::move((*found)[i].input));
}

void Predictor::prepare_and_submit_one(const LiveModel& model, const std::shared_ptr<Many>& many, std::size_t index,
                                       Result<PredictInput> input) const {
  if (!input) return many->fail(index, Outcome::Invalid, input.error(), Blame::Request);
  if (steady_clock::now() >= many->deadline)
    return many->fail(index, Outcome::Deadline,
                      {ErrorCode::Timeout, "the deadline passed before the image was decoded"}, Blame::Service);
  auto prepared = prepare(*input, many->face->spec.preprocess, options_.decode);
  if (!prepared) {
    const auto& [error, blame, retry] = prepared.error();
    return many->fail(index, blame == Blame::Request ? Outcome::Invalid : Outcome::Failed, error, blame);
  }
  const monitor::PredictionTiming timing{.decode = prepared->decode, .preprocess = prepared->preprocess};
  const auto submitted = model.batcher().submit(
      std::move(prepared->planes), many->deadline,
      [many, index, timing](Result<std::vector<float>> logits, const infer::Timing& batch) {
        many->answer(index, timing, std::move(logits), batch);
      },
      many->urgency.priority);
  if (submitted) return;
  const bool full = submitted.error().code == ErrorCode::ResourceExhausted;
  many->fail(index, full ? Outcome::QueueFull : Outcome::Failed, submitted.error(), Blame::Service);
}

}  // namespace imago::serve
