// SPDX-License-Identifier: Apache-2.0
#include "serve/cors.hpp"

#include <algorithm>

namespace imago::serve {
namespace {

constexpr const char* kMethods = "GET, HEAD, POST, PUT, PATCH, DELETE";
constexpr const char* kReadable =
    "X-Request-ID, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Retry-After, "
    "Inference-Header-Content-Length, "
    "traceresponse";
constexpr const char* kRememberSeconds = "600";
constexpr std::size_t kMostHeaderNames = 1000;  // characters

/// Names of headers with commas between: it goes back into a header.
bool is_list_of_names(std::string_view text) {
  return text.size() <= kMostHeaderNames && std::ranges::all_of(text, [](unsigned char c) {
           return std::isalnum(c) != 0 || std::string_view("-_, ").find(static_cast<char>(c)) != std::string_view::npos;
         });
}

/// scheme://host or scheme://host:port, as browsers write it: small letters, no path.
bool is_origin(std::string_view text) {
  const auto colon = text.find("://");
  if (colon == std::string_view::npos || (text.substr(0, colon) != "http" && text.substr(0, colon) != "https"))
    return false;
  const auto host = text.substr(colon + 3);
  return !host.empty() && std::ranges::all_of(host, [](unsigned char c) {
    return (std::isalnum(c) != 0 && std::isupper(c) == 0) ||
           std::string_view("-_.:[]").find(static_cast<char>(c)) != std::string_view::npos;
  });
}

}  // namespace

Result<Cors> Cors::parse(const std::vector<std::string>& origins) {
  Cors cors;
  for (const auto& origin : origins) {
    if (origin == "*") {
      cors.any_ = true;
    } else if (is_origin(origin)) {
      cors.origins_.push_back(origin);
    } else {
      return fail(ErrorCode::InvalidArgument,
                  "'{}' is no origin: give scheme, name and port as browsers do, such as https://app.example.org or "
                  "http://localhost:3000; * for any",
                  origin);
    }
  }
  return cors;
}

bool Cors::allows(const http::Request& request) const {
  const auto origin = request.header("Origin");
  return !origin.empty() && (any_ || std::ranges::find(origins_, origin) != origins_.end());
}

void Cors::mark(const http::Request& request, http::Response& response) const {
  if (!any_ && origins_.empty()) return;
  if (!any_) {  // what is kept for one page is not for another
    auto& vary = response.headers["Vary"];
    vary += vary.empty() ? "Origin" : ", Origin";
  }
  if (!allows(request)) return;
  response.headers["Access-Control-Allow-Origin"] = any_ ? "*" : std::string(request.header("Origin"));
  response.headers["Access-Control-Expose-Headers"] = kReadable;
}

bool Cors::is_preflight(const http::Request& request) {
  return request.method == "OPTIONS" && !request.header("Origin").empty() &&
         !request.header("Access-Control-Request-Method").empty();
}

http::Response Cors::answer_preflight(const http::Request& request) const {
  http::Response response{.status = 204};
  if (!allows(request)) return response;
  response.headers["Access-Control-Allow-Methods"] = kMethods;
  response.headers["Access-Control-Max-Age"] = kRememberSeconds;
  if (const auto names = request.header("Access-Control-Request-Headers"); !names.empty() && is_list_of_names(names))
    response.headers["Access-Control-Allow-Headers"] = std::string(names);
  return response;
}

}  // namespace imago::serve
