// SPDX-License-Identifier: Apache-2.0
#include "serve/json_writer.hpp"

#include <gmock/gmock.h>

#include <bit>
#include <cstdint>
#include <limits>

#include "base/rng.hpp"
#include "json/json.hpp"

namespace imago::serve {
namespace {

std::string string_of(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}
template <class Number>
std::string number_of(Number number) {
  std::string out;
  append_json_number(out, number);
  return out;
}

TEST(JsonWriter, WritesAnObjectThatReadsBack) {
  std::string out;
  JsonWriter json(out);
  json.begin();
  json.field("text", "a \"b\"\n\xC3\xA9");
  json.field("yes", true);
  json.field("int", -3);
  json.field("float", 0.1F);
  json.raw("raw", "[1,2]");
  json.end();
  EXPECT_EQ(out, "{\"text\":\"a \\\"b\\\"\\n\xC3\xA9\",\"yes\":true,\"int\":-3,\"float\":0.1,\"raw\":[1,2]}");
  EXPECT_TRUE(json::parse(out).has_value());
}

TEST(JsonWriter, WritesAnEmptyObject) {
  std::string out;
  JsonWriter json(out);
  json.begin();
  json.end();
  EXPECT_EQ(out, "{}");
}

TEST(JsonString, EscapesWhatMustBe) {
  EXPECT_EQ(string_of("plain text"), "\"plain text\"");
  EXPECT_EQ(string_of(""), "\"\"");
  EXPECT_EQ(string_of("back\\slash"), R"("back\\slash")");
  EXPECT_EQ(string_of(std::string_view("\0\x1f", 2)), R"("\u0000\u001f")");
  EXPECT_EQ(string_of("\xff"), "\"\xEF\xBF\xBD\"");
}

TEST(JsonNumber, UsesTheFewestDigits) {
  EXPECT_EQ(number_of(0.1F), "0.1");
  EXPECT_EQ(number_of(1.0F), "1");
  EXPECT_EQ(number_of(0.0), "0");
  EXPECT_EQ(number_of(0.1), "0.1");
  EXPECT_EQ(number_of(std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(number_of(std::numeric_limits<float>::quiet_NaN()), "null");
}

TEST(JsonNumber, ReadsBackAsTheSameFloat) {
  Rng rng(1);
  for (int i = 0; i < 10'000; ++i) {
    const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(rng.next()));
    if (!std::isfinite(value)) continue;
    const auto parsed = json::parse(number_of(value));
    ASSERT_TRUE(parsed.has_value()) << number_of(value);
    EXPECT_EQ(static_cast<float>(parsed->get<double>()), value);
  }
}

}  // namespace
}  // namespace imago::serve
