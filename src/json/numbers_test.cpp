// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "json/json.hpp"

namespace imago::json {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::size_t kMany = 1000;

TEST(ParseNumbers, FlattensAndGivesTheShape) {
  const auto flat = parse_numbers("[1, -2.5, 1e2]", kMany);
  ASSERT_TRUE(flat.has_value());
  EXPECT_THAT(flat->numbers, ElementsAre(1.0F, -2.5F, 100.0F));
  EXPECT_THAT(flat->shape, ElementsAre(3U));
  const auto cube = parse_numbers("[[[1,2],[3,4],[5,6]]]", kMany);
  ASSERT_TRUE(cube.has_value());
  EXPECT_THAT(cube->numbers, ElementsAre(1.0F, 2.0F, 3.0F, 4.0F, 5.0F, 6.0F));
  EXPECT_THAT(cube->shape, ElementsAre(1U, 3U, 2U));
  EXPECT_THAT(parse_numbers("[]", kMany)->shape, ElementsAre(0U));
  EXPECT_THAT(parse_numbers("[[],[]]", kMany)->shape, ElementsAre(2U, 0U));
}

TEST(ParseNumbers, AgreesWithTheOtherParserToTheLastBit) {  // nlohmann-json is the reference
  std::string text = "[";
  double x = 0.123456789;
  for (int i = 0; i < 500; ++i, x = x * 3.9 * (1.0 - x))
    text += fmt::format("{}{}", i == 0 ? "" : ",", (x - 0.5) * 1e3);
  text += "]";
  const auto ours = parse_numbers(text, kMany);
  const auto theirs = parse(text)->get<std::vector<float>>();
  ASSERT_TRUE(ours.has_value());
  EXPECT_EQ(ours->numbers, theirs);
}

TEST(ParseNumbers, ReadsPlainDecimalsOfAnyLengthAsTheOtherParserDoes) {  // nlohmann-json is the reference
  std::string text = " [ 0 ,255,\n0.0,16777217,999999999999999,0.1000000000000001,12345678901234567890123";
  double x = 0.123456789;
  for (int i = 0; i < 900; ++i, x = x * 3.9 * (1.0 - x))
    text += fmt::format(", {:.{}f}", x * (1 + i % 300), 1 + i % 20);
  text += " ] ";
  const auto ours = parse_numbers(text, kMany);
  ASSERT_TRUE(ours.has_value());
  EXPECT_EQ(ours->numbers, parse(text)->get<std::vector<float>>());
  EXPECT_THAT(ours->shape, ElementsAre(907U));
}

TEST(ParseNumbers, RefusesRaggedArrays) {
  for (const std::string text :
       {"[[1,2],[3]]", "[1,[2]]", "[[1],2]", "[[[1]],[2]]", "[[],[1]]", "[[1],[]]", "[[[]],[1]]", "[[],[[1]]]"}) {
    const auto numbers = parse_numbers(text, kMany);
    ASSERT_FALSE(numbers.has_value()) << text;
    EXPECT_EQ(numbers.error().code, ErrorCode::InvalidArgument) << text;
    EXPECT_THAT(numbers.error().message, HasSubstr("ragged")) << text;
  }
}

TEST(ParseNumbers, RefusesLeavesThatAreNoNumbersNamingTheItem) {
  EXPECT_THAT(parse_numbers("[1,\"x\"]", kMany).error().message, HasSubstr("item 1 of the array is a string"));
  EXPECT_THAT(parse_numbers("[null]", kMany).error().message, HasSubstr("null"));
  EXPECT_EQ(parse_numbers("[1e39]", kMany).error().code, ErrorCode::InvalidArgument) << "does not fit a float";
  EXPECT_EQ(parse_numbers("7", kMany).error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(parse_numbers("{\"a\":[1]}", kMany).error().code, ErrorCode::InvalidArgument);
}

TEST(ParseNumbers, RefusesWhatIsNotJson) {
  for (const std::string text : {"", "[1", "[1,]", "[NaN]", "[Infinity]", "[1] x", "[1e999]", "[01]", "\xff", "[1 2]",
                                 "[1.]", "[.5]", "[1,,2]", "[00.5]", "[1]]"})
    EXPECT_EQ(parse_numbers(text, kMany).error().code, ErrorCode::Corrupt) << text;
}

TEST(ParseNumbers, BoundsDepthAndCount) {
  EXPECT_TRUE(parse_numbers("[[[[[[[[1]]]]]]]]", kMany).has_value());
  EXPECT_FALSE(parse_numbers("[[[[[[[[[1]]]]]]]]]", kMany).has_value());
  EXPECT_FALSE(parse_numbers(std::string(100'000, '['), kMany).has_value());
  EXPECT_TRUE(parse_numbers("[1,2,3]", 3).has_value());
  EXPECT_EQ(parse_numbers("[1,2,3]", 2).error().code, ErrorCode::ResourceExhausted);
}

TEST(ParseNumbers, WorksForTextsLargerThanAThreadKeeps) {
  std::string text = "[0";
  for (int i = 1; i < 1'500'000; ++i) text += ",0.5";
  text += "]";
  ASSERT_GT(text.size(), std::size_t{5} << 20);
  EXPECT_EQ(parse_numbers(text, 2'000'000)->shape, std::vector<std::size_t>{1'500'000});
}

}  // namespace
}  // namespace imago::json
