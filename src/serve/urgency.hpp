// SPDX-License-Identifier: Apache-2.0
// How urgent a client says its request is: X-Request-Timeout-Ms and X-Request-Priority (docs/api.md).
#pragma once

#include <chrono>
#include <string_view>

#include "base/error.hpp"
#include "http/server.hpp"
#include "infer/waiting_line.hpp"

namespace imago::serve {

/// "high", "normal" or "low"; else InvalidArgument, which names `what` says so.
Result<infer::Priority> priority_named(std::string_view text, std::string_view what);

struct Urgency {
  std::chrono::milliseconds timeout;
  infer::Priority priority = infer::Priority::Normal;
};

/// @param most  the timeout of a request that does not say, and the longest one may ask for.
/// @error InvalidArgument, with the header and its value, when one is malformed.
Result<Urgency> urgency_of(const http::Request& request, std::chrono::milliseconds most);

}  // namespace imago::serve
