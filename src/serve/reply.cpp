// SPDX-License-Identifier: Apache-2.0
#include "serve/reply.hpp"

#include "base/log.hpp"
#include "serve/access_log.hpp"

namespace imago::serve {

void conclude(http::Response& response, const Conclusion& how, const Cors* cors, monitor::ServerMetrics& metrics) {
  response.headers.try_emplace("X-Request-ID", how.mark.request_id);
  response.headers.try_emplace("X-Content-Type-Options", "nosniff");
  if (how.mark.trace) response.headers.try_emplace("traceresponse", traceresponse(*how.mark.trace));
  if (cors != nullptr) cors->mark(how.request, response);
  const auto latency =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - how.request.received);
  const std::string_view route = how.request.route.empty() ? "other" : std::string_view(how.request.route);
  metrics.count_request(route, response.status, latency, how.for_prediction);
  log_access(how.request, response.status, latency, how.mark, how.key);
}

Reply::Reply(const http::Request& request, http::Responder responder, monitor::ServerMetrics& metrics,
             bool for_prediction)
    : request_(&request),
      responder_(std::move(responder)),
      metrics_(&metrics),
      for_prediction_(for_prediction),
      mark_(mark_of(request)) {}

std::chrono::microseconds Reply::elapsed() const {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - request_->received);
}

void Reply::add_header(std::string name, std::string value) {
  headers_.emplace_back(std::move(name), std::move(value));
}

void Reply::complete(http::Response& response) {
  for (auto& [name, value] : headers_) response.headers.try_emplace(std::move(name), std::move(value));
  conclude(response, {*request_, mark_, key_.get(), for_prediction_}, cors_, *metrics_);
  if (!trail_) return;
  const Write write{*request_, response.status, mark_, key_.get()};
  may_block_ ? trail_->record(write) : trail_->record_refusal(write);
}

void Reply::send(http::Response response) {
  complete(response);
  responder_.send(std::move(response));
}

void Reply::send_json(const json::Value& value, int status) {
  send({.status = status, .headers = {{"Content-Type", "application/json"}}, .body = json::dump(value)});
}

void Reply::send_result(const Result<json::Value>& result) {
  if (result) return send_json(*result);
  const bool ours = result.error().code == ErrorCode::Corrupt && request().method != "POST";
  fail(result.error(), ours ? Blame::Service : Blame::Request);
}

void Reply::send_json_text(std::string text) {
  send({.headers = {{"Content-Type", "application/json"}}, .body = std::move(text)});
}

http::Stream Reply::stream_events() {
  http::Response head{.headers = {{"Content-Type", "text/event-stream"},
                                  {"Cache-Control", "no-store"},
                                  {"X-Accel-Buffering", "no"}}};  // nginx would hold the events back
  complete(head);
  return responder_.stream(std::move(head));
}

void Reply::fail(const Error& error, Blame blame) { fail(http_status(error.code, blame), error); }

void Reply::fail(const Refusal& refusal) {
  send_failure(http_status(refusal.error.code, refusal.blame), refusal.error, refusal.retry_seconds);
}

void Reply::fail(int status, const Error& error) { send_failure(status, error, std::nullopt); }

void Reply::send_failure(int status, const Error& error, std::optional<int> retry_seconds) {
  std::string_view text = error.message;
  if (status == 500) {  // what broke is ours to know
    log::error("{} {} ({}): {}", request_->method, request_->path, request_id(), error.message);
    text = "internal error";
  }
  http::Response response = error_response(status, to_string(error.code), text, request_id());
  if (retry_seconds) response.headers["Retry-After"] = std::to_string(*retry_seconds);
  send(std::move(response));
}

}  // namespace imago::serve
