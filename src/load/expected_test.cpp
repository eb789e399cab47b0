// SPDX-License-Identifier: Apache-2.0
#include "load/expected.hpp"

#include <gmock/gmock.h>

namespace imago::load {
namespace {

using testing::HasSubstr;

constexpr const char* kAnswer = R"({"class_index":2,"confidence":0.5,"model_version":7,"x":1})";

TEST(Expected, ReadsClassAndVersion) {
  EXPECT_EQ(class_in(kAnswer), 2);
  EXPECT_EQ(version_in(kAnswer), 7);
  EXPECT_EQ(class_in(R"({"error":"x"})"), -1);
  EXPECT_EQ(version_in(""), -1);
}

TEST(Expected, HoldsAnAnswerToTheClassWhicheverVersionGaveIt) {
  const Expected expected{0, 2};
  EXPECT_EQ(expected.images(), 2U);
  EXPECT_EQ(expected.problem_with(kAnswer, 1), "");
  EXPECT_THAT(expected.problem_with(kAnswer, 0), HasSubstr("image 0 is of class 0, the model says; the answer was 2"));
  EXPECT_THAT(expected.problem_with("nonsense", 0), HasSubstr("nonsense"));
}

TEST(Expected, HoldsAnAnswerToTheVersionThatItNames) {
  const Expected expected(std::map<int, std::vector<int>>{{6, {1, 2}}, {7, {2, 1}}});
  EXPECT_EQ(expected.problem_with(kAnswer, 0), "");
  EXPECT_THAT(expected.problem_with(kAnswer, 1), HasSubstr("version 7 says")) << "6 would say so: a mixture";
  EXPECT_THAT(expected.problem_with(R"({"class_index":2,"model_version":8})", 0), HasSubstr("none of those"));
}

}  // namespace
}  // namespace imago::load
