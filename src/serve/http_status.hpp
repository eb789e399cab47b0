// SPDX-License-Identifier: Apache-2.0
// Errors as clients see them: a status and {"error", "detail", "code", "request_id"} (requirements 1.8 C6).
#pragma once

#include <optional>
#include <string_view>

#include "base/error.hpp"
#include "http/server.hpp"

namespace imago::serve {

/// Whose fault it is decides the status: the same "too much" is 413 for an image and 503 for a full queue.
enum class Blame { Request, Service };
int http_status(ErrorCode code, Blame blame) noexcept;

/// A failure, and whose it is.
struct Refusal {
  Error error;
  Blame blame = Blame::Request;
  std::optional<int> retry_seconds{};  ///< when there should be room again, where that is known
};

/// `error` and `detail` are the same sentence: S1's clients read the one, FastAPI's the other. 503 comes with
/// Retry-After.
http::Response error_response(int status, std::string_view code, std::string_view text, std::string_view request_id);

/// The code of a failure that has a status only: "not_found" for 404.
std::string_view code_of_status(int status) noexcept;

}  // namespace imago::serve
