// SPDX-License-Identifier: Apache-2.0
// The way to answer, with what every answer has: the request's id, the security headers, a count in the metrics.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "http/server.hpp"
#include "json/json.hpp"
#include "monitor/metrics.hpp"
#include "serve/http_status.hpp"

namespace imago::serve {

/// Movable; answers once. `request` and `metrics` must live until then.
class Reply {
 public:
  Reply(const http::Request& request, http::Responder responder, monitor::ServerMetrics& metrics,
        bool for_prediction = false);

  /// For whatever answer it will be; one that sets the header itself keeps its own.
  void add_header(std::string name, std::string value);
  void send(http::Response response);
  void send_json(const json::Value& value, int status = 200);
  /// Already written JSON.
  void send_json_text(std::string text);
  /// With the status the error has when `blame` is to blame.
  void fail(const Error& error, Blame blame);
  void fail(int status, const Error& error);

  /// 200 text/event-stream; counted now. `request` is not to be used after.
  http::Stream stream_events();

  [[nodiscard]] const std::string& request_id() const { return request_id_; }
  [[nodiscard]] const http::Request& request() const { return *request_; }
  [[nodiscard]] std::chrono::microseconds elapsed() const;

 private:
  /// What every answer has; and the count and the log of it.
  void complete(http::Response& response);

  const http::Request* request_;
  http::Responder responder_;
  monitor::ServerMetrics* metrics_;
  bool for_prediction_;
  std::string request_id_;
  std::vector<std::pair<std::string, std::string>> headers_;
};

}  // namespace imago::serve
