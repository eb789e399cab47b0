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
  EXPECT_EQ(limit(""), 50);
  EXPECT_EQ(limit("1"), 1);
  EXPECT_EQ(limit("1000"), 1000);
  for (const char* text : {"0", "1001", "-1", "x", "1x", " 1", "1.5", "99999999999999999999"}) {
    const auto refused = limit(text);
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().code, ErrorCode::InvalidArgument);
    EXPECT_EQ(refused.error().message, fmt::format("limit={}: expected 1 to 1000", text));
  }
}

}  // namespace
}  // namespace imago::serve
