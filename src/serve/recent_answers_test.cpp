// SPDX-License-Identifier: Apache-2.0
#include "serve/recent_answers.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace imago::serve {
namespace {

const auto kCats = std::make_shared<const AnsweredBy>(AnsweredBy{"pets", 3, {"cat", "dog"}});

TEST(RecentAnswers, AreFoundByRequestAndImage) {
  RecentAnswers answers;
  answers.keep("a", 0, {kCats, 1, 0.75F});
  answers.keep("a", 1, {kCats, 0, 0.5F});
  ASSERT_TRUE(answers.find("a", 0).has_value());
  EXPECT_EQ(answers.find("a", 0)->class_index, 1);
  EXPECT_EQ(answers.find("a", 0)->by->model, "pets");
  EXPECT_EQ(answers.find("a", 1)->class_index, 0);
  EXPECT_FALSE(answers.find("a", 2).has_value());
  EXPECT_FALSE(answers.find("b", 0).has_value());
}

TEST(RecentAnswers, OfEqualIdsTheLastCounts) {
  RecentAnswers answers;
  answers.keep("a", 0, {kCats, 0, 0.5F});
  answers.keep("a", 0, {kCats, 1, 0.6F});
  EXPECT_EQ(answers.find("a", 0)->class_index, 1);
}

TEST(RecentAnswers, ForgetTheOldestAndKeepTheNewest) {
  RecentAnswers answers;
  constexpr int kMany = 200'000, kSurely = static_cast<int>(RecentAnswers::kMost / 2);
  for (int i = 0; i < kMany; ++i) answers.keep(std::to_string(i), 0, {kCats, i % 2, 0.5F});
  int newest = 0, oldest = 0;
  for (int i = 0; i < kSurely; ++i) {
    newest += answers.find(std::to_string(kMany - 1 - i), 0).has_value();
    oldest += answers.find(std::to_string(i), 0).has_value();
  }
  EXPECT_GT(newest, kSurely * 97 / 100);
  EXPECT_LT(oldest, kSurely / 100);
}

TEST(RecentAnswers, AreKeptFromSeveralThreads) {
  RecentAnswers answers;
  const auto keep = [&](int from) {
    for (int i = from; i < from + 5000; ++i) answers.keep(std::to_string(i), 0, {kCats, i % 2, 0.5F});
  };
  std::thread other(keep, 5000);
  keep(0);
  other.join();
  int found = 0;
  for (int i = 0; i < 10'000; ++i) {
    const auto answer = answers.find(std::to_string(i), 0);
    if (!answer) continue;
    EXPECT_EQ(answer->class_index, i % 2);
    ++found;
  }
  EXPECT_GT(found, 9'900);
}

}  // namespace
}  // namespace imago::serve
