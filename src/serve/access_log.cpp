// SPDX-License-Identifier: Apache-2.0
#include "serve/access_log.hpp"

#include <atomic>
#include <iterator>

#include "base/clock.hpp"
#include "serve/json_writer.hpp"

namespace imago::serve {
namespace {

enum class Kind { Off, Text, Json };
std::atomic<Kind> kind{Kind::Off};

}  // namespace

void configure_access_log(bool on, log::Format format) {
  kind = !on ? Kind::Off : format == log::Format::Json ? Kind::Json : Kind::Text;
}

void log_access(const http::Request& request, int status, std::chrono::microseconds latency, const RequestMark& mark,
                const access::ApiKey* key) {
  const Kind wanted = kind.load(std::memory_order_relaxed);
  if (wanted == Kind::Off) return;
  const auto time = format_utc(system_clock().wall());
  const std::string_view level = status < 500 ? "info" : "error";
  const std::string_view route = request.route.empty() ? "other" : std::string_view(request.route);
  const double milliseconds = static_cast<double>(latency.count()) / 1000.0;
  std::string line;
  line.reserve(256);
  JsonWriter json(line);  // a method is any token: escaped
  if (wanted == Kind::Text) {
    fmt::format_to(std::back_inserter(line), "{} {}: {} ", time, level, request.peer);
    append_json_string(line, request.method);
    fmt::format_to(std::back_inserter(line), " {} {} {:.3f} ms {}", route, status, milliseconds, mark.request_id);
  } else {
    json.begin();
    json.field("time", time);
    json.field("level", level);
    json.field("message", "request");
    json.field("method", request.method);
    json.field("route", route);
    json.field("status", status);
    json.field("milliseconds", milliseconds);
    json.field("request_id", mark.request_id);
    json.field("client", request.peer);
    if (key != nullptr) json.field("key", key->id);
    if (mark.trace) {
      json.field("trace_id", mark.trace->trace_id);
      json.field("span_id", mark.trace->span_id);
      json.field("parent_id", mark.trace->parent_id);
    }
    json.end();
  }
  log::write_later(line);
}

}  // namespace imago::serve
