// SPDX-License-Identifier: Apache-2.0
// Training over HTTP: /train, /retrain, /train/stop, /training-status, /v1/jobs. docs/api/jobs.md
#include "base/hash.hpp"
#include "data/upload_json.hpp"
#include "jobs/progress.hpp"
#include "serve/job_requests.hpp"
#include "serve/parameters.hpp"
#include "serve/status_feed.hpp"

namespace imago::serve {
namespace {

constexpr int kConflict = 409;
constexpr int kAccepted = 202;
constexpr int kDefaultLimit = 50, kMostJobs = 1000;
constexpr std::size_t kMostKey = 255;

bool is_json(const http::Request& request) { return request.header("Content-Type").starts_with("application/json"); }

/// The body as an object; empty for an empty body.
Result<json::Value> wishes_of(const http::Request& request) {
  if (request.body.find_first_not_of(" \t\r\n") == std::string::npos) return json::Value(json::Value::object());
  auto value = json::parse(request.body);
  if (!value) return pass(value, "the body");
  if (!value->is_object()) return fail(ErrorCode::InvalidArgument, "the body: expected a JSON object");
  return value;
}

/// The seeds' paths answer with what their clients look for.
json::Value legacy_answer(const Submitted& submitted, const char* what) {
  return {{"status", submitted.waits ? "queued" : "started"},
          {"message", submitted.waits ? fmt::format("{} is queued: another job runs before it", what)
                                      : fmt::format("{} has started", what)},
          {"job_id", submitted.job.id},
          {"job", jobs::to_json(submitted.job)}};
}

void train(const Api& api, Reply reply) {
  const auto submitted =
      wishes_of(reply.request()).and_then([&](const json::Value& wishes) { return submit_training(api, wishes); });
  if (!submitted) return reply.fail(submitted.error(), Blame::Request);
  reply.send_json(legacy_answer(*submitted, "training"));
}

Result<Submitted> retrain_as_asked(const Api& api, const http::Request& request) {
  if (!is_json(request) && !request.body.empty()) return submit_retraining_with(api, request);
  TRY(const auto wishes, wishes_of(request));
  return submit_retraining(api, wishes);
}

void retrain(const Api& api, Reply reply) {
  const auto submitted = retrain_as_asked(api, reply.request());
  if (!submitted) {
    // The clients of this path know 200, 400 and 500.
    const bool unknown = submitted.error().code == ErrorCode::NotFound;
    return unknown ? reply.fail(400, submitted.error()) : reply.fail(submitted.error(), Blame::Request);
  }
  json::Value answer = legacy_answer(*submitted, "retraining");
  answer["files"] = submitted->job.payload["files"].size();
  answer["rejected"] = data::to_json(submitted->rejected);
  reply.send_json(answer);
}

/// The Idempotency-Key of a request, and what is asked for under it.
Result<jobs::JobRequest> key_of(const http::Request& request) {
  const auto key = request.header("Idempotency-Key");
  if (key.size() > kMostKey)
    return fail(ErrorCode::InvalidArgument, "Idempotency-Key has {} characters, at most {}", key.size(), kMostKey);
  return jobs::JobRequest{std::string(key), sha256(request.body)};
}

Result<jobs::Job> create(const Api& api, const http::Request& request) {
  TRY(const auto key, key_of(request));
  if (!key.key.empty()) {
    TRY(const auto known, api.backend.jobs->find(key));
    if (known) return *known;
  }
  TRY(const auto wishes, wishes_of(request));
  TRY(const auto kind, json::get<std::string>(wishes, "kind"));
  if (kind != "train" && kind != "retrain")
    return fail(ErrorCode::InvalidArgument, "kind '{}': expected 'train' or 'retrain'", kind);
  auto submitted = kind == "train" ? submit_training(api, wishes, key) : submit_retraining(api, wishes, key);
  if (submitted) return submitted->job;
  if (submitted.error().code != ErrorCode::AlreadyExists) return pass(submitted);
  TRY(const auto known, api.backend.jobs->find(key));  // the same request, at the same time
  if (!known) return pass(submitted);
  return *known;
}

/// By the query or the body; empty when neither names one.
Result<std::string> named_job(const http::Request& request) {
  if (const auto id = request.parameter("job_id"); !id.empty()) return std::string(id);
  if (request.method != "POST") return std::string();
  TRY(const auto wishes, wishes_of(request));
  return json::get_or<std::string>(wishes, "job_id", "");
}

Result<std::optional<jobs::Job>> wanted_job(const Api& api, const http::Request& request) {
  TRY(const auto id, named_job(request));
  if (id.empty()) return api.backend.jobs->current();
  TRY(auto job, api.backend.jobs->find(id));
  return std::optional(std::move(job));
}

void stop(const Api& api, Reply reply) {
  const auto job = wanted_job(api, reply.request());
  if (!job) return reply.fail(job.error(), Blame::Request);
  if (!*job || !(*job)->ended.empty()) {
    const std::string text = *job ? fmt::format("nothing to stop: {} is {}", (*job)->id, to_string((*job)->state))
                                  : "nothing to stop: no training was ever asked for";
    return reply.fail(kConflict, {ErrorCode::InvalidArgument, text});
  }
  const auto after = api.backend.jobs->cancel((*job)->id);
  if (!after && after.error().code == ErrorCode::InvalidArgument) return reply.fail(kConflict, after.error());
  if (!after) return reply.fail(after.error(), Blame::Request);
  reply.send_json(
      {{"status", after->state == jobs::JobState::Running ? "stopping" : "cancelled"}, {"job_id", after->id}});
}

void training_status(const Api& api, Reply reply) {
  const auto job = wanted_job(api, reply.request());
  if (!job) return reply.fail(job.error(), Blame::Request);
  reply.send_json(jobs::status_of(*job));
}

Result<json::Value> list_jobs(const Api& api, const http::Request& request) {
  TRY(const auto page, page_in(request, kDefaultLimit, kMostJobs));
  std::optional<jobs::JobState> state;
  if (const auto text = request.parameter("state"); !text.empty()) {
    TRY(state, jobs::job_state_from(text));
  }
  TRY(auto found, api.backend.jobs->list(page.limit + 1, state, page.offset));
  const auto next = end_page(found, page);
  json::Value rows = json::Value::array();
  for (const auto& job : found) rows.push_back(jobs::summary_of(job));
  return json::Value{{"jobs", std::move(rows)}, {"next_offset", next}};
}

void list(const Api& api, Reply reply) {
  const auto answer = list_jobs(api, reply.request());
  if (!answer) return reply.fail(answer.error(), Blame::Request);
  reply.send_json(*answer);
}

void show(const Api& api, Reply reply) {
  const auto job = api.backend.jobs->find(reply.request().captures.at("id"));
  if (!job) return reply.fail(job.error(), Blame::Request);
  reply.send_json(jobs::to_json(*job));
}

void cancel(const Api& api, Reply reply) {
  const auto job = api.backend.jobs->cancel(reply.request().captures.at("id"));
  if (!job && job.error().code == ErrorCode::InvalidArgument) return reply.fail(kConflict, job.error());
  if (!job) return reply.fail(job.error(), Blame::Request);
  reply.send_json(jobs::to_json(*job));
}

}  // namespace

void add_job_routes(RouteList& routes, const Api& api) {
  if (api.backend.jobs == nullptr) return;
  const auto with = [&api](void (*handler)(const Api&, Reply)) {
    return [api, handler](Reply reply) { handler(api, std::move(reply)); };
  };
  routes.add_blocking("POST", "/train", Scope::Write, with(train));
  routes.add_blocking("POST", "/train/stop", Scope::Write, with(stop));
  routes.add_blocking("POST", "/retrain", Scope::Write, with(retrain));
  routes.add_blocking("GET", "/training-status", Scope::Predict, with(training_status));
  routes.add_blocking("GET", "/v1/jobs", Scope::Predict, with(list));
  routes.add_blocking("POST", "/v1/jobs", Scope::Write, [api](Reply reply) {
    const auto job = create(api, reply.request());
    if (!job) return reply.fail(job.error(), Blame::Request);
    reply.send_json(jobs::to_json(*job), kAccepted);
  });
  const auto feed = std::make_shared<StatusFeed>(*api.backend.jobs);
  routes.add("GET", "/v1/jobs/events", Scope::Predict, [feed](Reply reply) { feed->add(reply.stream_events()); });
  routes.add_blocking("GET", "/v1/jobs/{id}", Scope::Predict, with(show));
  routes.add_blocking("DELETE", "/v1/jobs/{id}", Scope::Write, with(cancel));
}

}  // namespace imago::serve
