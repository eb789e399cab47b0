// SPDX-License-Identifier: Apache-2.0
#include "serve/json_members.hpp"

#include <gmock/gmock.h>

namespace imago::serve {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(JsonMembers, GivesKeysAndValuesAsText) {
  const auto members =
      json_members(R"( { "image" : [[1, 2], [3, "]"]] ,"a":{"b":"}"}, "s":"x\",\\", "n":-1.5e3,"t":true } )");
  ASSERT_TRUE(members.has_value()) << members.error().message;
  EXPECT_THAT(*members, ElementsAre(Pair("image", R"([[1, 2], [3, "]"]])"), Pair("a", R"({"b":"}"})"),
                                    Pair("s", R"("x\",\\")"), Pair("n", "-1.5e3"), Pair("t", "true")));
}

TEST(JsonMembers, TakesAnEmptyObject) { EXPECT_TRUE(json_members(" {} ").value().empty()); }

TEST(JsonMembers, RefusesWhatIsNoObject) {
  for (const auto* text : {"",       " ",          "[1]",        "null",         "{",          "{]",
                           "{\"a\"", "{\"a\":",    "{\"a\":}",   "{\"a\":1",     "{\"a\":1,",  "{\"a\":1,}",
                           "{a:1}",  "{\"a\":[1",  "{\"a\":\"x", "{\"a\":\"x\\", "{\"a\":1}x", "{\"a\" 1}",
                           "{,}",    "{\"a\":1 2}"}) {
    EXPECT_FALSE(json_members(text).has_value()) << text;
  }
}

TEST(JsonMembers, RefusesEveryCut) {
  const std::string_view text = R"({"image":[1,[2,"x"]],"layout":"hwc"})";
  for (std::size_t size = 0; size < text.size(); ++size)
    EXPECT_FALSE(json_members(text.substr(0, size)).has_value()) << size;
}

TEST(JsonMembers, RefusesAKeyThatComesTwiceAndTooMany) {
  EXPECT_THAT(json_members(R"({"image":[1],"image":[2]})").error().message, testing::HasSubstr("'image' comes twice"));
  std::string many = "{\"x\":1";
  for (int i = 0; i < 64; ++i) many += fmt::format(",\"k{}\":1", i);
  EXPECT_THAT(json_members(many + "}").error().message, testing::HasSubstr("more than 64"));
}

TEST(JsonItems, AreTheTextBetweenTheCommas) {
  EXPECT_EQ(json_items(R"( [1, {"a":[2,"]"]} ,"x,y", [ ] ] )", 4).value(),
            (std::vector<std::string_view>{"1", R"({"a":[2,"]"]})", R"("x,y")", "[ ]"}));
  EXPECT_TRUE(json_items("[]", 0).value().empty());
  EXPECT_THAT(json_items("[1,2]", 1).error().message, testing::HasSubstr("more than 1"));
  for (const char* text : {"", "1", "{}", "[", "[1", "[1,]", "[,]", "[1 2]", "[1]x", "[\"x]", "[[1]"})
    EXPECT_FALSE(json_items(text, 9).has_value()) << text;
}

}  // namespace
}  // namespace imago::serve
