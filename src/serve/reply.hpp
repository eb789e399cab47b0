// SPDX-License-Identifier: Apache-2.0
// The way to answer, with what every answer has: the request's id, the security headers, a count in the metrics.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "http/server.hpp"
#include "json/json.hpp"
#include "monitor/metrics.hpp"
#include "serve/audit_trail.hpp"
#include "serve/cors.hpp"
#include "serve/http_status.hpp"
#include "serve/trace_context.hpp"

namespace imago::serve {

/// How an answer was come by, for what it leaves behind.
struct Conclusion {
  const http::Request& request;
  const RequestMark& mark;
  const access::ApiKey* key = nullptr;  ///< that was shown; may be null
  bool for_prediction = false;
};
/// What every answer has, whoever wrote it, and the count and the log of it.
void conclude(http::Response& response, const Conclusion& how, const Cors* cors, monitor::ServerMetrics& metrics);

/// Movable; answers once. `request` and `metrics` must live until then.
class Reply {
 public:
  Reply(const http::Request& request, http::Responder responder, monitor::ServerMetrics& metrics,
        bool for_prediction = false);

  /// Pages of these sites may read the answer. It must live until then.
  void share_with(const Cors& cors) { cors_ = &cors; }
  [[nodiscard]] const Cors* cors() const { return cors_; }
  /// The good key that the caller showed.
  void set_key(std::shared_ptr<const access::ApiKey> key) { key_ = std::move(key); }
  /// The request writes: it is to be in the audit log before it is answered.
  void record_in(std::shared_ptr<AuditTrail> trail) { trail_ = std::move(trail); }
  /// From here on this runs on a thread that may block.
  void leave_event_loop() { may_block_ = true; }

  /// For whatever answer it will be; one that sets the header itself keeps its own.
  void add_header(std::string name, std::string value);
  void send(http::Response response);
  void send_json(const json::Value& value, int status = 200);
  /// The value, or why there is none: what is stored and cannot be read is the service's fault, unless the request
  /// brought it.
  void send_result(const Result<json::Value>& result);
  /// Already written JSON.
  void send_json_text(std::string text);
  /// With the status the error has when `blame` is to blame.
  void fail(const Error& error, Blame blame);
  /// The same, with Retry-After as the refusal has it.
  void fail(const Refusal& refusal);
  void fail(int status, const Error& error);

  /// 200 text/event-stream; counted now. `request` is not to be used after.
  http::Stream stream_events();

  [[nodiscard]] const std::string& request_id() const { return mark_.request_id; }
  [[nodiscard]] const http::Request& request() const { return *request_; }
  [[nodiscard]] std::chrono::microseconds elapsed() const;

 private:
  void send_failure(int status, const Error& error, std::optional<int> retry_seconds);
  void complete(http::Response& response);

  const http::Request* request_;
  http::Responder responder_;
  monitor::ServerMetrics* metrics_;
  bool for_prediction_;
  bool may_block_ = false;
  RequestMark mark_;
  const Cors* cors_ = nullptr;
  std::shared_ptr<const access::ApiKey> key_;
  std::shared_ptr<AuditTrail> trail_;
  std::vector<std::pair<std::string, std::string>> headers_;
};

}  // namespace imago::serve
