// SPDX-License-Identifier: Apache-2.0
#include "base/log.hpp"

#include <gmock/gmock.h>

namespace imago::log {
namespace {

std::string logged(Format format, std::string_view text) {
  configure(Level::Info, format);
  testing::internal::CaptureStderr();
  write(Level::Info, text);
  const std::string line = testing::internal::GetCapturedStderr();
  configure(Level::Warning, Format::Text);
  return line;
}

TEST(Log, IsOneLineWhateverIsInIt) {
  const std::string line = logged(Format::Text, "GET /a\nerror: forged\x1b[31m");
  EXPECT_THAT(line, testing::EndsWith("info: GET /a\\u000aerror: forged\\u001b[31m\n"));
  EXPECT_EQ(std::ranges::count(line, '\n'), 1);
}

TEST(Log, IsJsonWhateverIsInIt) {
  EXPECT_THAT(logged(Format::Json, "a \"b\" \\ \t \x7f"),
              testing::EndsWith(R"("level":"info","message":"a \"b\" \\ \u0009 \u007f"})"
                                "\n"));
}

TEST(Log, KeepsTextAndReplacesWhatIsNotUtf8) {
  EXPECT_THAT(logged(Format::Text, "größe 猫 🐈"), testing::EndsWith("größe 猫 🐈\n"));
  for (const auto* bad : {"\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\xf0\x80\x80\x80"}) {
    const std::string line = logged(Format::Json, std::string(bad) + "x");
    EXPECT_THAT(line, testing::HasSubstr("\xef\xbf\xbd")) << line;
    EXPECT_THAT(line, testing::EndsWith("x\"}\n"));
    EXPECT_THAT(line, testing::Not(testing::HasSubstr(bad)));
  }
}

TEST(Log, WritesLaterLinesAsTheyAre) {
  testing::internal::CaptureStderr();
  write_later(R"({"a":1})");
  flush();
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "{\"a\":1}\n");
}

}  // namespace
}  // namespace imago::log
