// SPDX-License-Identifier: Apache-2.0
#include "serve/negotiate.hpp"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdint>

#include "base/rng.hpp"
#include "http/trim.hpp"

namespace imago::serve {
namespace {

using http::trim;

bool is_request_id(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' || c == '_' ||
           c == '-';
  });
}

std::uint64_t secret() {
  const std::string hex = random_hex(8);
  std::uint64_t value = 0;
  std::from_chars(hex.data(), hex.data() + hex.size(), value, 16);
  return value;
}

// splitmix64 is a bijection: different counts give different numbers.
std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31);
}

bool refused(std::string_view parameters) {
  const auto q = parameters.find("q=");
  if (q == std::string_view::npos) return false;
  double weight = 1.0;
  std::from_chars(parameters.data() + q + 2, parameters.data() + parameters.size(), weight);
  return weight <= 0.0;
}

}  // namespace

std::string media_type(std::string_view content_type) {
  std::string type(trim(content_type.substr(0, content_type.find(';'))));
  std::ranges::transform(type, type.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return type;
}

bool accepts_by_name(std::string_view accept, std::string_view type) {
  while (!accept.empty()) {
    const auto comma = accept.find(',');
    const auto range = accept.substr(0, comma);
    if (media_type(range) == type) {
      const auto semicolon = range.find(';');
      return semicolon == std::string_view::npos || !refused(range.substr(semicolon));
    }
    accept.remove_prefix(comma == std::string_view::npos ? accept.size() : comma + 1);
  }
  return false;
}

Result<MetricsFormat> metrics_format(const http::Request& request, MetricsFormat otherwise) {
  const auto format = request.parameter("format");
  if (format == "prometheus") return MetricsFormat::Prometheus;
  if (format == "json") return MetricsFormat::Json;
  if (!format.empty()) return fail(ErrorCode::InvalidArgument, "format is '{}': json and prometheus are known", format);
  const auto accept = request.header("Accept");
  if (accepts_by_name(accept, "text/plain") || accepts_by_name(accept, "application/openmetrics-text")) {
    return MetricsFormat::Prometheus;
  }
  return accepts_by_name(accept, "application/json") ? MetricsFormat::Json : otherwise;
}

std::string fresh_id() {
  static const std::uint64_t start = secret();
  static const std::uint64_t mask = secret();
  static std::atomic<std::uint64_t> count{0};
  return fmt::format("{:016x}",
                     mix(start + count.fetch_add(1, std::memory_order_relaxed) * 0x9e3779b97f4a7c15U) ^ mask);
}

std::string request_id(const http::Request& request) {
  const auto given = request.header("X-Request-ID");
  return is_request_id(given) ? std::string(given) : fresh_id();
}

}  // namespace imago::serve
