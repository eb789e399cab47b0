// SPDX-License-Identifier: Apache-2.0
#include "json/json.hpp"

#include <gmock/gmock.h>

#include "base/files.hpp"

namespace imago::json {
namespace {

using testing::HasSubstr;

Value parsed(std::string_view text) {
  auto value = parse(text);
  EXPECT_TRUE(value.has_value()) << value.error().message;
  return value ? *value : Value();
}

std::string nested(int depth) {
  return std::string(static_cast<std::size_t>(depth), '[') + std::string(static_cast<std::size_t>(depth), ']');
}

TEST(Parse, KeepsTheOrderOfKeys) {
  EXPECT_EQ(dump(parsed(R"({"z":1,"a":[true,null],"m":{"q":0.5}})")), R"({"z":1,"a":[true,null],"m":{"q":0.5}})");
}

TEST(Parse, RefusesWhatIsNotJsonNamingTheByte) {
  for (const std::string text :
       {"", "{", "[1,]", "nul", "\"\xff\"", "{} x", "{'a':1}", "NaN", "01", "\"\x01\"", "1e999"}) {
    const auto value = parse(text);
    ASSERT_FALSE(value.has_value()) << text;
    EXPECT_EQ(value.error().code, ErrorCode::Corrupt) << text;
  }
  EXPECT_THAT(parse("[1,]").error().message, HasSubstr("byte 4"));
  EXPECT_THAT(parse("[1,]").error().message, testing::Not(HasSubstr("exception")));
}

TEST(Parse, TakesDepth64AndRefuses65AndAMillion) {
  EXPECT_TRUE(parse(nested(64)).has_value());
  for (const int depth : {65, 1'000'000}) EXPECT_EQ(parse(nested(depth)).error().code, ErrorCode::ResourceExhausted);
}

TEST(Parse, RefusesAnObjectThatWouldTakeQuadraticTime) {
  const auto object = [](int members) {
    std::string text = "{";
    for (int i = 0; i < members; ++i) text += fmt::format("{}\"{}\":[{{}}]", i == 0 ? "" : ",", i);
    return text + "}";
  };
  EXPECT_TRUE(parse(object(4096)).has_value());
  EXPECT_EQ(parse(object(4097)).error().code, ErrorCode::ResourceExhausted);
  EXPECT_TRUE(parse(fmt::format("[{0},{0}]", object(4000))).has_value()) << "the limit is for one object";
}

TEST(Read, NamesTheFileInItsErrors) {
  auto folder = TemporaryDirectory::create(fs::temp_directory_path(), "json-test");
  ASSERT_TRUE(folder.has_value());
  const auto path = folder->path() / "spec.json";
  EXPECT_EQ(read(path).error().code, ErrorCode::NotFound);
  ASSERT_TRUE(write_file(path, "{\"a\":").has_value());
  EXPECT_EQ(read(path).error().code, ErrorCode::Corrupt);
  EXPECT_THAT(read(path).error().message, HasSubstr("spec.json"));
  ASSERT_TRUE(write_file(path, "{\"a\":7}").has_value());
  EXPECT_EQ(get<int>(*read(path), "a").value(), 7);
}

TEST(Dump, ReplacesTextThatIsNotUtf8) {
  EXPECT_EQ(dump(Value("a\xff!")), "\"a\xEF\xBF\xBD!\"");
  EXPECT_EQ(dump_pretty(parsed("{\"a\":[1]}")), "{\n  \"a\": [\n    1\n  ]\n}");
}

TEST(Get, ReadsEveryType) {
  const auto v = parsed(R"({"b":true,"i":-3,"u":18446744073709551615,"d":0.25,"s":"x","n":null,
                            "vi":[1,2],"vs":["a","b"],"vf":[1,0.5],"o":{"k":1},"vo":[{"k":1},2]})");
  EXPECT_TRUE(get<bool>(v, "b").value());
  EXPECT_EQ(get<int>(v, "i").value(), -3);
  EXPECT_EQ(get<std::int64_t>(v, "i").value(), -3);
  EXPECT_EQ(get<std::uint64_t>(v, "u").value(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(get<double>(v, "d").value(), 0.25);
  EXPECT_EQ(get<double>(v, "i").value(), -3.0) << "a whole number is a number";
  EXPECT_EQ(get<float>(v, "d").value(), 0.25F);
  EXPECT_EQ(get<std::string>(v, "s").value(), "x");
  EXPECT_EQ(get<std::vector<int>>(v, "vi").value(), (std::vector<int>{1, 2}));
  EXPECT_EQ(get<std::vector<std::string>>(v, "vs").value(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(get<std::vector<float>>(v, "vf").value(), (std::vector<float>{1.0F, 0.5F}));
  EXPECT_EQ(get<int>(get<Value>(v, "o").value(), "k").value(), 1);
  EXPECT_EQ(get<std::vector<Value>>(v, "vo").value().size(), 2U);
}

TEST(Get, RefusesOtherTypesNamingKeyAndValue) {
  const auto v = parsed(R"({"i":1.5,"s":3,"big":4294967296,"neg":-1,"b":1,"huge":1e300,"v":[1,"x"],"n":null})");
  EXPECT_EQ(get<int>(v, "i").error().message, "'i' is 1.5, not a whole number of 32 bits");
  EXPECT_EQ(get<std::string>(v, "s").error().message, "'s' is 3, not a string");
  EXPECT_THAT(get<int>(v, "big").error().message, HasSubstr("4294967296"));
  EXPECT_THAT(get<std::uint64_t>(v, "neg").error().message, HasSubstr("-1"));
  EXPECT_FALSE(get<bool>(v, "b").has_value());
  EXPECT_FALSE(get<float>(v, "huge").has_value());
  EXPECT_EQ(get<std::vector<int>>(v, "v").error().message, "'v[1]' is \"x\", not a whole number of 32 bits");
  EXPECT_EQ(get<int>(v, "gone").error().message, "'gone' is missing");
  EXPECT_EQ(get<double>(v, "n").error().code, ErrorCode::InvalidArgument);
  EXPECT_FALSE(get<int>(parsed("[1]"), "a").has_value());
}

TEST(GetOr, TakesTheDefaultOnlyForAbsentAndNull) {
  const auto v = parsed(R"({"n":null,"s":"x"})");
  EXPECT_EQ(get_or(v, "gone", 5).value(), 5);
  EXPECT_EQ(get_or(v, "n", 5).value(), 5);
  EXPECT_FALSE(get_or(v, "s", 5).has_value());
}

}  // namespace
}  // namespace imago::json
