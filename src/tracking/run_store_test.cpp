// SPDX-License-Identifier: Apache-2.0
#include "tracking/run_store.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "base/files.hpp"

namespace imago::tracking {
namespace {

using testing::HasSubstr;

class RunStoreTest : public testing::Test {
 protected:
  TemporaryDirectory folder_ = TemporaryDirectory::create(fs::temp_directory_path(), "tracking-test").value();
  std::unique_ptr<store::Database> database_ =
      store::Database::open("sqlite:" + (folder_.path() / "imago.db").string()).value();
  RunStore runs_{*database_};
};

TEST_F(RunStoreTest, KeepsARunFromStartToEnd) {
  const auto params = json::parse(R"({"recipe":"quick","epochs":3,"text":"it's \"so\" :a"})").value();
  const auto run = runs_.create("train", params).value();
  EXPECT_THAT(run.id, testing::MatchesRegex("[0-9]{8}-[0-9]{6}-[0-9a-f]{6}"));
  EXPECT_EQ(runs_.find(run.id)->status, RunStatus::Running);
  EXPECT_EQ(runs_.find(run.id)->ended, "");
  ASSERT_TRUE(runs_.finish(run.id, RunStatus::Finished, json::parse(R"({"test_accuracy":0.75})").value()).has_value());
  const auto found = runs_.find(run.id).value();
  EXPECT_EQ(found.status, RunStatus::Finished);
  EXPECT_EQ(found.kind, "train");
  EXPECT_EQ(found.params, params);
  EXPECT_EQ(json::get<double>(found.summary, "test_accuracy").value(), 0.75);
  EXPECT_GE(found.ended, found.created);
}

TEST_F(RunStoreTest, ReopensARunThatWasInterrupted) {
  const auto run = runs_.create("train", json::Value::object()).value();
  ASSERT_TRUE(runs_.finish(run.id, RunStatus::Interrupted, json::Value::object(), "Ctrl-C").has_value());
  EXPECT_EQ(runs_.find(run.id)->error, "Ctrl-C");
  ASSERT_TRUE(runs_.reopen(run.id, {{"workers", 2}}).has_value());
  EXPECT_EQ(runs_.find(run.id)->status, RunStatus::Running);
  EXPECT_EQ(runs_.find(run.id)->params, (json::Value{{"workers", 2}}));
  EXPECT_EQ(runs_.find(run.id)->error, "");
}

TEST_F(RunStoreTest, GivesMetricsByNameInOrderOfSteps) {
  const auto run = runs_.create("train", json::Value::object()).value();
  ASSERT_TRUE(runs_.log_metrics(run.id, 20, {{"loss", 0.5}, {"accuracy", 0.1}}).has_value());
  ASSERT_TRUE(runs_.log_metrics(run.id, 10, {{"loss", 1.0 / 3.0}}).has_value());
  ASSERT_TRUE(runs_.log_metrics(run.id, 20, {{"loss", 0.25}}).has_value()) << "a resumed run repeats steps";
  const auto series = runs_.metrics(run.id).value();
  ASSERT_EQ(series.size(), 2U);
  const auto& loss = series.at("loss");
  ASSERT_EQ(loss.size(), 2U);
  EXPECT_EQ(loss[0].step, 10);
  EXPECT_EQ(loss[0].value, 1.0 / 3.0);
  EXPECT_EQ(loss[1].value, 0.25);
}

TEST_F(RunStoreTest, KeepsALossThatIsNotANumber) {
  const auto run = runs_.create("train", json::Value::object()).value();
  ASSERT_TRUE(runs_.log_metrics(run.id, 1, {{"loss", std::nan("")}}).has_value());
  ASSERT_TRUE(runs_.log_metrics(run.id, 2, {{"loss", std::numeric_limits<double>::infinity()}}).has_value());
  ASSERT_TRUE(runs_.log_metrics(run.id, 3, {{"loss", 0.5}}).has_value());
  const auto loss = runs_.metrics(run.id).value().at("loss");
  EXPECT_TRUE(std::isnan(loss[0].value));
  EXPECT_TRUE(std::isnan(loss[1].value));
  EXPECT_EQ(loss[2].value, 0.5);
}

TEST_F(RunStoreTest, FindsByAPrefixThatFitsOne) {
  const auto insert = [&](const std::string& id) {
    ASSERT_TRUE(database_->execute(
        "INSERT INTO runs (id, kind, status, created, params) VALUES (:a, 'train', 'running', :a, '{}')", {id}));
  };
  insert("20260101-000000-aaaaaa");
  insert("20260101-000000-bbbbbb");
  insert("20270101-000000-cccccc");
  EXPECT_EQ(runs_.find("2027")->id, "20270101-000000-cccccc");
  EXPECT_EQ(runs_.find("20260101-000000-b")->id, "20260101-000000-bbbbbb");
  EXPECT_EQ(runs_.find("2026").error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(runs_.find("%").error().code, ErrorCode::NotFound);
  EXPECT_EQ(runs_.find("").error().code, ErrorCode::NotFound);
  EXPECT_THAT(runs_.find("x").error().message, HasSubstr("20270101-000000-cccccc"));
  const auto newest = runs_.list(2).value();
  ASSERT_EQ(newest.size(), 2U);
  EXPECT_EQ(newest.front().id, "20270101-000000-cccccc");
}

TEST_F(RunStoreTest, SaysSoWhenThereIsNoSuchRun) {
  EXPECT_EQ(runs_.log_metrics("none", 1, {{"loss", 1.0}}).error().code, ErrorCode::NotFound);
  EXPECT_EQ(runs_.finish("none", RunStatus::Failed, json::Value::object()).error().code, ErrorCode::NotFound);
  EXPECT_EQ(runs_.reopen("none", json::Value::object()).error().code, ErrorCode::NotFound);
  EXPECT_TRUE(runs_.metrics("none")->empty());
}

TEST_F(RunStoreTest, KeepsTheTimeOfAPointThatAResumedRunRepeatsToTheBit) {
  const auto run = runs_.create("train", json::Value::object()).value();
  ASSERT_TRUE(runs_.log_metrics(run.id, 1, {{"loss", 0.5}, {"accuracy", 0.5}}).has_value());
  ASSERT_TRUE(database_->execute("UPDATE metrics SET time = '2020-01-01T00:00:00.000Z'", {}).has_value());
  ASSERT_TRUE(runs_.log_metrics(run.id, 1, {{"loss", 0.5}, {"accuracy", 0.75}}).has_value());
  const auto series = runs_.metrics(run.id).value();
  EXPECT_EQ(series.at("loss")[0].time, "2020-01-01T00:00:00.000Z");
  EXPECT_GT(series.at("accuracy")[0].time, "2026");
}

TEST_F(RunStoreTest, GivesARangeForEachRunThatHasTheMetric) {
  const auto one = runs_.create("train", json::Value::object()).value();
  const auto two = runs_.create("train", json::Value::object()).value();
  const auto none = runs_.create("train", json::Value::object()).value();
  for (int epoch = 1; epoch <= 3; ++epoch)
    ASSERT_TRUE(runs_.log_metrics(one.id, epoch, {{"val_accuracy", epoch == 2 ? 0.75 : 0.25}}).has_value());
  ASSERT_TRUE(runs_.log_metrics(two.id, 1, {{"val_accuracy", std::nan("")}}).has_value());
  const auto ranges = runs_.ranges("val_accuracy").value();
  EXPECT_EQ(ranges.size(), 2U);
  EXPECT_EQ(ranges.at(one.id).points, 3);
  EXPECT_EQ(ranges.at(one.id).least, 0.25);
  EXPECT_EQ(ranges.at(one.id).most, 0.75);
  EXPECT_TRUE(std::isnan(ranges.at(two.id).most));
}

TEST_F(RunStoreTest, CountsTheTimeOfTrainingAndElseTheTimeOnTheClock) {
  tracking::Run run;
  run.status = RunStatus::Finished;
  run.created = "2026-02-28T23:59:50.000Z";
  run.ended = "2026-03-01T00:00:20.500Z";
  EXPECT_EQ(seconds_of(run), 30.5);
  run.summary = {{"outcome", {{"seconds", 12.5}}}};
  EXPECT_EQ(seconds_of(run), 12.5);
  EXPECT_EQ(milliseconds_of("1970-01-02T00:00:00.001Z"), 86'400'001);
  EXPECT_EQ(milliseconds_of("soon"), 0);
}

}  // namespace
}  // namespace imago::tracking
