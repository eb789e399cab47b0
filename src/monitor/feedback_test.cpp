// SPDX-License-Identifier: Apache-2.0
#include "monitor/feedback.hpp"

#include <gtest/gtest.h>

#include "base/files.hpp"

namespace imago::monitor {
namespace {

class Feedbacks : public testing::Test {
 protected:
  Feedback add(const std::string& request, int item, int version, const std::string& predicted,
               const std::string& label) {
    auto added = log_.add({.id = {},
                           .created = {},
                           .request = request,
                           .item = item,
                           .model = "pets",
                           .version = version,
                           .predicted = predicted,
                           .confidence = 0.5,
                           .label = label});
    EXPECT_TRUE(added.has_value()) << added.error().message;
    return added.value_or(Feedback{});
  }

  TemporaryDirectory folder_ = TemporaryDirectory::create(fs::temp_directory_path(), "feedback-test").value();
  std::unique_ptr<store::Database> database_ =
      store::Database::open(fmt::format("sqlite:{}", (folder_.path() / "imago.db").string())).value();
  FeedbackLog log_{*database_};
};

TEST_F(Feedbacks, TellHowOftenEachVersionWasRight) {
  add("a", 0, 1, "cat", "cat");
  add("b", 0, 1, "cat", "dog");
  add("c", 0, 1, "dog", "dog");
  add("d", 0, 2, "dog", "cat");
  const auto found = log_.accuracy().value();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].version, 1);
  EXPECT_EQ(found[0].count, 3);
  EXPECT_EQ(found[0].correct, 2);
  EXPECT_DOUBLE_EQ(found[1].accuracy(), 0.0);
  EXPECT_EQ(log_.accuracy({.model = "pets", .version = 2}).value().size(), 1U);
  EXPECT_TRUE(log_.accuracy({.model = "birds"}).value().empty());
}

TEST_F(Feedbacks, WhoeverSpeaksAgainTakesBackWhatWasSaid) {
  const auto first = add("a", 0, 1, "cat", "dog");
  const auto again = add("a", 0, 1, "cat", "cat");
  EXPECT_EQ(again.id, first.id);
  add("a", 1, 1, "cat", "dog");  // another image of the request
  EXPECT_EQ(log_.count({}).value(), 2);
  EXPECT_EQ(log_.count({.correct = true}).value(), 1);
}

TEST_F(Feedbacks, WithoutARequestEachCounts) {
  EXPECT_NE(add("", 0, 1, "cat", "dog").id, add("", 0, 1, "cat", "dog").id);
  EXPECT_EQ(log_.count({}).value(), 2);
}

TEST_F(Feedbacks, AreListedInPages) {
  for (int i = 0; i < 5; ++i) add(std::to_string(i), 0, 1, "cat", i % 2 == 0 ? "cat" : "dog");
  EXPECT_EQ(log_.list({}, 3).value().size(), 3U);
  EXPECT_EQ(log_.list({}, 3, 3).value().size(), 2U);
  const auto wrong = log_.list({.correct = false}, 10).value();
  ASSERT_EQ(wrong.size(), 2U);
  EXPECT_EQ(wrong[0].predicted, "cat");
  EXPECT_EQ(wrong[0].label, "dog");
  EXPECT_DOUBLE_EQ(wrong[0].confidence.value(), 0.5);
}

TEST_F(Feedbacks, CanBeTakenBack) {
  const auto said = add("a", 0, 1, "cat", "dog");
  EXPECT_TRUE(log_.remove(said.id).has_value());
  EXPECT_EQ(log_.remove(said.id).error().code, ErrorCode::NotFound);
  EXPECT_TRUE(log_.list({}, 10).value().empty());
}

}  // namespace
}  // namespace imago::monitor
