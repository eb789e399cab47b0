// SPDX-License-Identifier: Apache-2.0
#include "serve/urgency.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace imago::serve {
namespace {

using std::chrono::milliseconds;

constexpr const char* kTimeoutHeader = "X-Request-Timeout-Ms";
constexpr const char* kPriorityHeader = "X-Request-Priority";
constexpr std::size_t kMostShown = 40;  // characters of what a client sent

constexpr std::array<std::pair<std::string_view, infer::Priority>, 3> kPriorityNames{
    {{"high", infer::Priority::High}, {"normal", infer::Priority::Normal}, {"low", infer::Priority::Low}}};

/// Digits alone: from_chars would take a minus.
bool is_number(std::string_view text) { return text.find_first_not_of("0123456789") == std::string_view::npos; }

Result<milliseconds> timeout_of(std::string_view text, milliseconds most) {
  if (text.empty()) return most;
  std::int64_t value = 0;
  const auto status = std::from_chars(text.data(), text.data() + text.size(), value).ec;
  if (!is_number(text) || (status == std::errc() && value == 0))
    return fail(ErrorCode::InvalidArgument, "{} is '{}', not a positive whole number", kTimeoutHeader,
                text.substr(0, kMostShown));
  return status == std::errc() ? milliseconds(std::min<std::int64_t>(value, most.count())) : most;
}

}  // namespace

Result<infer::Priority> priority_named(std::string_view text, std::string_view what) {
  for (const auto& [name, priority] : kPriorityNames) {
    if (text == name) return priority;
  }
  return fail(ErrorCode::InvalidArgument, "{} is '{}', not high, normal or low", what, text.substr(0, kMostShown));
}

Result<Urgency> urgency_of(const http::Request& request, milliseconds most) {
  Urgency urgency{};
  TRY(urgency.timeout, timeout_of(request.header(kTimeoutHeader), most));
  const auto priority = request.header(kPriorityHeader);
  if (!priority.empty()) {
    TRY(urgency.priority, priority_named(priority, kPriorityHeader));
  }
  return urgency;
}

}  // namespace imago::serve
