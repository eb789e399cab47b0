// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"

#include <gtest/gtest.h>

#include <memory>

#include "base/clock.hpp"
#include "base/log.hpp"

namespace imago {
namespace {

Result<std::unique_ptr<int>> make(int value) {
  if (value < 0) return fail(ErrorCode::InvalidArgument, "{} is negative", value);
  return std::make_unique<int>(value);
}

Result<void> check(int value) {
  TRY(const auto made, make(value));
  TRY_VOID(*made == 13 ? Result<void>(fail(ErrorCode::Unsupported, "13")) : Result<void>());
  return {};
}

Result<int> twice(int value) {
  auto made = make(value);
  if (!made) return pass(made, "doubling");
  TRY_VOID(check(value));
  return **made * 2;
}

TEST(Result, CarriesTheValueOrTheErrorUp) {
  EXPECT_EQ(twice(4).value(), 8);
  EXPECT_EQ(twice(-1).error().message, "doubling: -1 is negative");
  EXPECT_EQ(twice(-1).error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(twice(13).error().code, ErrorCode::Unsupported);
  EXPECT_EQ(check(-2).error().message, "-2 is negative");
}

TEST(ErrorCode, HasTheNamesThatClientsSee) {
  EXPECT_EQ(to_string(ErrorCode::InvalidArgument), "invalid_argument");
  EXPECT_EQ(to_string(ErrorCode::ResourceExhausted), "resource_exhausted");
}

TEST(ExpectsDeathTest, EndsTheProgramNamingTheBug) {
  EXPECT_DEATH(EXPECTS(1 + 1 == 3, "arithmetic"), "imago: bug: arithmetic \\(1 \\+ 1 == 3\\) at .*error_test.cpp");
}

TEST(FormatUtc, WritesRfc3339WithMilliseconds) {
  const auto at = [](std::int64_t ms) { return format_utc(WallTime(std::chrono::milliseconds(ms))); };
  EXPECT_EQ(at(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(at(951'827'696'789), "2000-02-29T12:34:56.789Z");  // date -u -d @951827696
  EXPECT_EQ(at(-1), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(at(-86'400'000), "1969-12-31T00:00:00.000Z");
}

TEST(FakeClock, MovesOnlyWhenTold) {
  FakeClock clock;
  const auto wall = clock.wall();
  const auto steady = clock.steady();
  clock.advance(std::chrono::milliseconds(1500));
  EXPECT_EQ(clock.wall() - wall, std::chrono::milliseconds(1500));
  EXPECT_EQ(clock.steady() - steady, std::chrono::milliseconds(1500));
  const auto before = system_clock().steady();
  EXPECT_LE(before, system_clock().steady());
}

TEST(Log, WritesOneLineAnEventAndOnlyFromItsLevelUp) {
  testing::internal::CaptureStderr();
  log::configure(log::Level::Info, log::Format::Json);
  log::debug("hidden");
  log::info("model \"{}\"\nline\t2", "m");
  log::configure(log::Level::Warning, log::Format::Text);
  log::info("hidden too");
  log::warning("shown %v {{}}");
  const std::string written = testing::internal::GetCapturedStderr();
  const auto end = written.find('\n');
  ASSERT_NE(end, std::string::npos);
  EXPECT_NE(written.find(R"("level":"info","message":"model \"m\"\u000aline\u00092"})"), std::string::npos) << written;
  EXPECT_NE(written.substr(end).find("warning: shown %v {}"), std::string::npos) << written;
  EXPECT_EQ(written.find("hidden"), std::string::npos) << written;
}

}  // namespace
}  // namespace imago
