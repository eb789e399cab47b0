// SPDX-License-Identifier: Apache-2.0
#include "serve/urgency.hpp"

#include <gmock/gmock.h>

namespace imago::serve {
namespace {

using infer::Priority;
using std::chrono::milliseconds;
using testing::HasSubstr;

constexpr milliseconds kMost{30'000};

Result<Urgency> urgency(http::Fields headers) {
  http::Request request;
  request.headers = std::move(headers);
  return urgency_of(request, kMost);
}

TEST(Urgency, IsNormalAndAsPatientAsTheServerWhenNothingIsSaid) {
  const auto found = urgency({}).value();
  EXPECT_EQ(found.timeout, kMost);
  EXPECT_EQ(found.priority, Priority::Normal);
}

TEST(Urgency, FollowsTheHeaders) {
  EXPECT_EQ(urgency({{"x-request-timeout-ms", "250"}}).value().timeout, milliseconds(250));
  EXPECT_EQ(urgency({{"X-Request-Timeout-Ms", "0001"}}).value().timeout, milliseconds(1));
  EXPECT_EQ(urgency({{"X-Request-Priority", "high"}}).value().priority, Priority::High);
  EXPECT_EQ(urgency({{"X-Request-Priority", "normal"}}).value().priority, Priority::Normal);
  EXPECT_EQ(urgency({{"X-Request-Priority", "low"}}).value().priority, Priority::Low);
}

TEST(Urgency, NeverWaitsLongerThanTheServerAllows) {
  EXPECT_EQ(urgency({{"X-Request-Timeout-Ms", "30001"}}).value().timeout, kMost);
  EXPECT_EQ(urgency({{"X-Request-Timeout-Ms", "99999999999999999999999"}}).value().timeout, kMost);
}

TEST(Urgency, RefusesWhatIsMalformedWithItsValue) {
  for (const char* bad : {"0", "000", "-1", "+1", "1.5", "soon", "1s", "10, 20", " 5", "0x10", "1e3"}) {
    const auto found = urgency({{"X-Request-Timeout-Ms", bad}});
    ASSERT_FALSE(found.has_value()) << bad;
    EXPECT_EQ(found.error().code, ErrorCode::InvalidArgument);
    EXPECT_THAT(found.error().message, HasSubstr(fmt::format("X-Request-Timeout-Ms is '{}'", bad)));
  }
  for (const char* bad : {"urgent", "HIGH", "1", "high, low", "low "}) {
    const auto found = urgency({{"X-Request-Priority", bad}});
    ASSERT_FALSE(found.has_value()) << bad;
    EXPECT_THAT(found.error().message, HasSubstr(fmt::format("X-Request-Priority is '{}'", bad)));
  }
}

TEST(Urgency, ShowsOnlyTheBeginningOfALongValue) {
  EXPECT_LT(urgency({{"X-Request-Priority", std::string(10'000, 'x')}}).error().message.size(), 200U);
}

}  // namespace
}  // namespace imago::serve
