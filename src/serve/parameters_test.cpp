// SPDX-License-Identifier: Apache-2.0
#include "serve/parameters.hpp"

#include <gtest/gtest.h>

namespace imago::serve {
namespace {

Result<int> limit(const char* text) {
  const http::Request request{.query = {{"limit", text}}};
  return number_in_query(request, "limit", 50, 1, 1000);
}

TEST(NumberInQuery, HasADefaultAndBounds) {
  EXPECT_EQ(number_in_query({}, "limit", 50, 1, 1000), 50);
  EXPECT_EQ(limit("1"), 1);
  EXPECT_EQ(limit("1000"), 1000);
  for (const char* text : {"", "0", "1001", "-1", "x", "1x", " 1", "1.5", "99999999999999999999"}) {
    const auto refused = limit(text);
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().code, ErrorCode::InvalidArgument);
    EXPECT_EQ(refused.error().message, fmt::format("limit={}: expected 1 to 1000", text));
  }
}

TEST(VersionNumber, IsANumberFromOne) {
  EXPECT_EQ(version_number("12").value(), 12);
  for (const char* text : {"", "0", "-1", "+1", "1x", " 1", "champion", "99999999999"})
    EXPECT_EQ(version_number(text).error().code, ErrorCode::InvalidArgument) << text;
}

TEST(JsonBody, IsAnObjectOrNothing) {
  const auto body = [](std::string text) {
    http::Request request;
    request.body = std::move(text);
    return json_body(request);
  };
  EXPECT_EQ(body("").value(), json::Value::object());
  EXPECT_EQ(body(R"({"version":3})").value()["version"], 3);
  for (const char* text : {"[]", "3", "{", "null"}) EXPECT_FALSE(body(text).has_value()) << text;
}

json::Value page(std::vector<int> rows, http::Fields query, const std::vector<int>& expected) {
  const http::Request request{.query = std::move(query)};
  const auto next = take_page(rows, page_in(request, 2, 10).value());
  EXPECT_EQ(rows, expected);
  return next;
}

TEST(Page, SaysWhereTheNextBegins) {
  EXPECT_EQ(page({1, 2, 3, 4, 5}, {}, {1, 2}), 2);
  EXPECT_EQ(page({1, 2, 3, 4, 5}, {{"offset", "2"}}, {3, 4}), 4);
  EXPECT_TRUE(page({1, 2, 3, 4, 5}, {{"offset", "3"}}, {4, 5}).is_null());
  EXPECT_TRUE(page({1, 2, 3, 4, 5}, {{"limit", "10"}}, {1, 2, 3, 4, 5}).is_null());
  EXPECT_TRUE(page({1, 2}, {{"offset", "7"}}, {}).is_null());
  EXPECT_FALSE(page_in({.query = {{"offset", "-1"}}}, 2, 10).has_value());
  EXPECT_FALSE(page_in({.query = {{"limit", "11"}}}, 2, 10).has_value());
}

}  // namespace
}  // namespace imago::serve
