// SPDX-License-Identifier: Apache-2.0
#include "serve/http_status.hpp"

#include "serve/json_writer.hpp"

namespace imago::serve {

int http_status(ErrorCode code, Blame blame) noexcept {
  const bool request = blame == Blame::Request;
  switch (code) {
    case ErrorCode::InvalidArgument:
    case ErrorCode::Corrupt:
    case ErrorCode::Unsupported: return request ? 400 : 500;
    case ErrorCode::NotFound: return 404;
    case ErrorCode::AlreadyExists: return 409;
    case ErrorCode::ResourceExhausted: return request ? 413 : 503;
    case ErrorCode::Timeout: return 504;
    case ErrorCode::Cancelled:
    case ErrorCode::Unavailable: return 503;
    case ErrorCode::Internal: return 500;
  }
  return 500;
}

http::Response error_response(int status, std::string_view code, std::string_view text, std::string_view request_id) {
  http::Response response{.status = status, .headers = {{"Content-Type", "application/json"}}};
  if (status == 503 || status == 429) response.headers.emplace("Retry-After", "1");
  JsonWriter json(response.body);
  json.begin();
  json.field("error", text);
  json.field("detail", text);
  json.field("code", code);
  json.field("request_id", request_id);
  json.end();
  return response;
}

std::string_view code_of_status(int status) noexcept {
  switch (status) {
    case 401: return "unauthorized";
    case 403: return "forbidden";
    case 404: return "not_found";
    case 405: return "method_not_allowed";
    case 408: return "timeout";
    case 413:
    case 431: return "resource_exhausted";
    case 415: return "unsupported";
    case 429: return "too_many_requests";
    case 500: return "internal";
    case 503: return "unavailable";
    default: return "invalid_argument";
  }
}

}  // namespace imago::serve
