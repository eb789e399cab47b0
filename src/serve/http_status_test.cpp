// SPDX-License-Identifier: Apache-2.0
#include "serve/http_status.hpp"

#include <gtest/gtest.h>

#include "json/json.hpp"

namespace imago::serve {
namespace {

TEST(HttpStatus, BlamesTheRequestOrTheService) {
  EXPECT_EQ(http_status(ErrorCode::Corrupt, Blame::Request), 400);
  EXPECT_EQ(http_status(ErrorCode::Corrupt, Blame::Service), 500);
  EXPECT_EQ(http_status(ErrorCode::ResourceExhausted, Blame::Request), 413);
  EXPECT_EQ(http_status(ErrorCode::ResourceExhausted, Blame::Service), 503);
  EXPECT_EQ(http_status(ErrorCode::Timeout, Blame::Service), 504);
}

TEST(ErrorResponse, HasTheShapeAllErrorsHave) {
  const auto response = error_response(503, "unavailable", "the \"queue\" is full", "id1");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.headers.at("Retry-After"), "1");
  const auto body = json::parse(response.body);
  ASSERT_TRUE(body.has_value()) << response.body;
  EXPECT_EQ(
      json::dump(*body),
      R"({"error":"the \"queue\" is full","detail":"the \"queue\" is full","code":"unavailable","request_id":"id1"})");
  EXPECT_FALSE(error_response(400, "invalid_argument", "x", "id").headers.contains("Retry-After"));
}

}  // namespace
}  // namespace imago::serve
