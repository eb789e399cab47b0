// SPDX-License-Identifier: Apache-2.0
#include "jobs/progress.hpp"

#include <gmock/gmock.h>

namespace imago::jobs {
namespace {

json::Value fold(const std::vector<json::Value>& events) {
  json::Value progress;
  for (const auto& event : events) fold_event(progress, event);
  return progress;
}

json::Value epoch(int number, double loss) {
  return {{"event", "epoch"}, {"epoch", number}, {"loss", loss}, {"val_accuracy", 0.5}};
}

TEST(JobProgress, NeverGoesBack) {
  json::Value progress;
  double before = 0.0;
  for (const json::Value& event : std::vector<json::Value>{
           {{"event", "prepare"}, {"stage", "train"}, {"done", 5}, {"total", 10}},
           {{"event", "prepare"}, {"stage", "validation"}, {"done", 0}, {"total", 10}},
           {{"event", "start"}},
           {{"event", "step"}, {"epoch", 1}, {"epochs", 3}, {"step", 5}, {"total_steps", 30}, {"remaining", 7.5}},
           {{"event", "step"}, {"epoch", 3}, {"epochs", 3}, {"step", 30}, {"total_steps", 30}, {"remaining", 0}},
           {{"event", "package"}},
           {{"event", "evaluate"}, {"done", 400}, {"total", 400}}}) {
    fold_event(progress, event);
    EXPECT_GE(progress["progress"].get<double>(), before) << json::dump(event);
    before = progress["progress"].get<double>();
  }
  EXPECT_DOUBLE_EQ(before, 1.0);
  EXPECT_EQ(progress["epochs"], 3);
  EXPECT_EQ(progress["stage"], "evaluating");
}

TEST(JobProgress, KeepsOneEntryAnEpochHoweverOftenItComes) {
  const auto progress = fold({epoch(1, 2.0), epoch(2, 1.5), epoch(2, 1.4), epoch(3, 1.0)});
  ASSERT_EQ(progress["history"].size(), 3U);
  EXPECT_EQ(progress["history"][1]["loss"], 1.4);
  EXPECT_EQ(progress["loss"], 1.0);
  EXPECT_EQ(progress["val_accuracy"], 0.5);
}

TEST(JobProgress, PassesOverWhatItDoesNotKnow) {
  EXPECT_EQ(fold({{{"event", 7}}, {{"event", "weather"}}, {{"event", "step"}, {"step", "x"}}})["epoch"], json::Value());
}

TEST(TrainingStatus, HasEveryKeyWhateverTheState) {
  const auto idle = status_of(std::nullopt);
  EXPECT_EQ(idle["status"], "idle");
  EXPECT_EQ(idle["is_training"], false);
  Job job{.id = "job-1", .kind = "train", .state = JobState::Running, .created = "c"};
  job.progress = fold({{{"event", "run"}, {"run", "r1"}}, epoch(1, 2.0)});
  const auto running = status_of(job);
  EXPECT_EQ(running["status"], "running");
  EXPECT_EQ(running["is_training"], true);
  EXPECT_EQ(running["run"], "r1");
  EXPECT_EQ(running["ended"], json::Value());
  job.state = JobState::Done;
  job.ended = "e";
  job.result = {{"run", "r1"}, {"verdict", "champion: better"}};
  const auto done = status_of(job);
  EXPECT_EQ(done["progress"], 1.0);
  EXPECT_EQ(done["message"], "champion: better");
  for (const auto& [key, value] : idle.items()) {
    EXPECT_TRUE(running.contains(key)) << key;
    EXPECT_TRUE(done.contains(key)) << key;
  }
  EXPECT_EQ(to_json(job)["status"], done);
}

}  // namespace
}  // namespace imago::jobs
