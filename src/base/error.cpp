// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"

#include <cstdio>
#include <cstdlib>

namespace imago {

std::string_view to_string(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::InvalidArgument: return "invalid_argument";
    case ErrorCode::NotFound: return "not_found";
    case ErrorCode::AlreadyExists: return "already_exists";
    case ErrorCode::Corrupt: return "corrupt";
    case ErrorCode::Unsupported: return "unsupported";
    case ErrorCode::ResourceExhausted: return "resource_exhausted";
    case ErrorCode::Timeout: return "timeout";
    case ErrorCode::Cancelled: return "cancelled";
    case ErrorCode::Unavailable: return "unavailable";
    case ErrorCode::Internal: return "internal";
  }
  return "internal";
}

Error Error::with(std::string_view doing) && {
  message.insert(0, fmt::format("{}: ", doing));
  return std::move(*this);
}

void expectation_failed(const char* condition, const char* file, int line, std::string_view why) {
  fmt::print(stderr, "imago: bug: {} ({}) at {}:{}\n", why, condition, file, line);
  std::abort();
}

}  // namespace imago
