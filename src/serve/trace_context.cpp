// SPDX-License-Identifier: Apache-2.0
#include "serve/trace_context.hpp"

#include <algorithm>

#include "serve/negotiate.hpp"

namespace imago::serve {
namespace {

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_id(std::string_view text) { return is_hex(text) && text.find_first_not_of('0') != std::string_view::npos; }

}  // namespace

std::optional<TraceContext> parse_traceparent(std::string_view header) {
  constexpr std::size_t kLength = 55;  // 00-{32}-{16}-{2}
  if (header.size() < kLength || header[2] != '-' || header[35] != '-' || header[52] != '-') return std::nullopt;
  const auto version = header.substr(0, 2);
  const auto trace = header.substr(3, 32);
  const auto parent = header.substr(36, 16);
  const auto flags = header.substr(53, 2);
  if (!is_hex(version) || version == "ff" || !is_id(trace) || !is_id(parent) || !is_hex(flags)) return std::nullopt;
  if (header.size() > kLength && (version == "00" || header[kLength] != '-')) return std::nullopt;
  return TraceContext{std::string(trace), std::string(parent), fresh_id(), std::string(flags)};
}

RequestMark mark_of(const http::Request& request) {
  const auto header = request.header("traceparent");
  return {request_id(request), header.empty() ? std::nullopt : parse_traceparent(header)};
}

std::string traceresponse(const TraceContext& trace) {
  return fmt::format("00-{}-{}-{}", trace.trace_id, trace.span_id, trace.flags);
}

}  // namespace imago::serve
