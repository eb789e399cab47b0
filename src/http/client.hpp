// SPDX-License-Identifier: Apache-2.0
// One HTTP request (libcurl).
#pragma once

#include <chrono>
#include <string>

#include "base/error.hpp"
#include "http/server.hpp"

namespace imago::http {

struct ClientRequest {
  std::string method = "GET";
  std::string url;  ///< http or https
  Fields headers;
  std::string body;
  std::chrono::milliseconds timeout{10'000};  ///< for the whole exchange
  std::size_t max_response_bytes = 64u << 20;
  bool any_certificate = false;  ///< for a server that asks itself: its certificate names no loopback address
};

struct ClientResponse {
  int status = 0;
  Fields headers;
  std::string body;
};

/// Sends and waits. Any status is a success here; redirects are not followed. Unavailable when nobody answers, Timeout,
/// ResourceExhausted over max_response_bytes, InvalidArgument for an address that is none. Safe from any thread.
Result<ClientResponse> fetch(const ClientRequest& request);

}  // namespace imago::http
