// SPDX-License-Identifier: Apache-2.0
#include "serve/trace_context.hpp"

#include <gmock/gmock.h>

namespace imago::serve {
namespace {

// The example of the standard: https://www.w3.org/TR/trace-context/#traceparent-header-field-values
constexpr const char* kExample = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(TraceContext, TakesUpTheTraceOfTheClient) {
  const auto trace = parse_traceparent(kExample);
  ASSERT_TRUE(trace.has_value());
  EXPECT_EQ(trace->trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(trace->parent_id, "00f067aa0ba902b7");
  EXPECT_EQ(trace->flags, "01");
  EXPECT_THAT(trace->span_id, testing::MatchesRegex("[0-9a-f]{16}"));
  EXPECT_NE(trace->span_id, parse_traceparent(kExample)->span_id);
  EXPECT_EQ(traceresponse(*trace), "00-4bf92f3577b34da6a3ce929d0e0e4736-" + trace->span_id + "-01");
}

TEST(TraceContext, BeginsNoneWhereTheHeaderIsNone) {
  for (const auto* header : {"", "00", "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                             "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                             "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                             "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                             "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
                             "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                             "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
                             "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01, "
                             "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"})
    EXPECT_FALSE(parse_traceparent(header).has_value()) << header;
}

TEST(TraceContext, ReadsALaterVersionAsFarAsItKnows) {
  EXPECT_TRUE(parse_traceparent("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more").has_value());
  EXPECT_FALSE(parse_traceparent("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01more").has_value());
}

TEST(TraceContext, KnowsARequestByBoth) {
  http::Request request;
  EXPECT_FALSE(mark_of(request).trace.has_value());
  request.headers.emplace("X-Request-ID", "mine");
  request.headers.emplace("Traceparent", kExample);
  EXPECT_EQ(mark_of(request).request_id, "mine");
  EXPECT_EQ(mark_of(request).trace->parent_id, "00f067aa0ba902b7");
}

}  // namespace
}  // namespace imago::serve
