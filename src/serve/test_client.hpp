// SPDX-License-Identifier: Apache-2.0
// For this folder's tests: what a server on loopback answers.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

#include "http/client.hpp"
#include "json/json.hpp"

namespace imago::serve {

/// Fails the test where nobody answers.
inline http::ClientResponse exchange(int port, const std::string& method, std::string_view path,
                                     http::Fields headers = {}, std::string body = {}) {
  auto response = http::fetch({.method = method,
                               .url = fmt::format("http://127.0.0.1:{}{}", port, path),
                               .headers = std::move(headers),
                               .body = std::move(body)});
  EXPECT_TRUE(response.has_value()) << response.error().message;
  return response.value_or(http::ClientResponse{});
}

/// Fails the test where the answer has another status.
inline json::Value json_in(const http::ClientResponse& response, int status = 200) {
  EXPECT_EQ(response.status, status) << response.body;
  return json::parse(response.body).value_or(json::Value());
}

}  // namespace imago::serve
