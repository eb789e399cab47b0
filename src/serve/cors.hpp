// SPDX-License-Identifier: Apache-2.0
// Which other sites' pages may use the server from a browser (cross-origin resource sharing, the Fetch standard).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "http/server.hpp"

namespace imago::serve {

/// Immutable; safe from any thread.
class Cors {
 public:
  /// "https://app.example.org" or "http://localhost:3000" each, or "*" for any. InvalidArgument else.
  static Result<Cors> parse(const std::vector<std::string>& origins);
  /// Allows none: browsers keep other sites' pages from the answers by themselves.
  Cors() = default;

  /// The request comes from a page that may.
  [[nodiscard]] bool allows(const http::Request& request) const;
  /// Adds to any answer what lets such a page read it.
  void mark(const http::Request& request, http::Response& response) const;
  /// A browser asks before it sends what a plain form could not.
  static bool is_preflight(const http::Request& request);
  /// 204 with what may be sent; without it when the page may not.
  [[nodiscard]] http::Response answer_preflight(const http::Request& request) const;

 private:
  std::vector<std::string> origins_;
  bool any_ = false;
};

}  // namespace imago::serve
