// SPDX-License-Identifier: Apache-2.0
// Where a request stands in a trace that its client began (W3C Trace Context), so that its log lines are found there.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/server.hpp"

namespace imago::serve {

struct TraceContext {
  std::string trace_id;   ///< 32 hex digits: of the whole trace
  std::string parent_id;  ///< 16: of what the client does meanwhile
  std::string span_id;    ///< 16, new: of what we do
  std::string flags;      ///< 2, as they came: 01 is recorded
};

/// Of a traceparent header; none when it is no such thing, as the standard wants it then. A version we do not know is
/// read as far as we know it.
std::optional<TraceContext> parse_traceparent(std::string_view header);

/// How a request is known in logs and in its answer.
struct RequestMark {
  std::string request_id;
  std::optional<TraceContext> trace;
};
RequestMark mark_of(const http::Request& request);

/// The value of the traceresponse header that tells the client of our span.
std::string traceresponse(const TraceContext& trace);

}  // namespace imago::serve
