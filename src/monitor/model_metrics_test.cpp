// SPDX-License-Identifier: Apache-2.0
#include "monitor/model_metrics.hpp"

#include <gtest/gtest.h>

namespace imago::monitor {
namespace {

using std::chrono::microseconds;

Durations durations_of(std::initializer_list<int> all) {
  Durations durations;
  for (const int one : all) durations.add(microseconds(one));
  return durations;
}

TEST(Durations, CountsUpToAndWithEachBound) {
  const auto durations = durations_of({0, 100, 101, 250, 20'000'000});
  EXPECT_EQ(durations.counts[0], 2) << "le=\"0.0001\" holds 100 us";
  EXPECT_EQ(durations.counts[1], 2);
  EXPECT_EQ(durations.counts.back(), 1);
  EXPECT_EQ(durations.count(), 5);
  EXPECT_EQ(durations.sum, microseconds(20'000'451));
  EXPECT_EQ(durations.mean(), microseconds(4'000'090));
}

// The answers are those of histogram_quantile, by hand: rank share * n, evenly filled buckets.
TEST(Durations, GivesTheQuantilesThatPrometheusGives) {
  EXPECT_EQ(Durations().quantile(0.5), microseconds(0));
  const auto even = durations_of({300, 300, 300, 300});  // all in (250, 500]
  EXPECT_EQ(even.quantile(0.5), microseconds(375));
  EXPECT_EQ(even.quantile(1.0), microseconds(500));
  const auto split = durations_of({50, 50, 50, 2'000});
  EXPECT_EQ(split.quantile(0.75), microseconds(100));
  EXPECT_EQ(split.quantile(0.875), microseconds(1'750));
  EXPECT_EQ(durations_of({30'000'000}).quantile(0.99), microseconds(10'000'000));
}

class ModelMetricsTest : public testing::Test {
 protected:
  History history_{system_clock()};
  ModelMetrics model_{"pets", 2, {"cat", "dog"}, history_};
};

TEST_F(ModelMetricsTest, KeepsWhereTheTimeWentAndInWhichBatches) {
  model_.count_prediction(1, {.decode = microseconds(10),
                              .preprocess = microseconds(20),
                              .queue = microseconds(30),
                              .infer = microseconds(400),
                              .total = microseconds(500),
                              .batch_size = 4});
  model_.count_prediction(1, {.infer = microseconds(100), .batch_size = 1});
  const auto totals = model_.totals();
  EXPECT_EQ(totals.images, 2);
  EXPECT_EQ(totals.infer.sum, microseconds(500));
  EXPECT_EQ(totals.decode.sum + totals.preprocess.sum + totals.queue.sum, microseconds(60));
  EXPECT_EQ(totals.by_label, (std::vector<std::int64_t>{0, 2}));
  EXPECT_EQ(totals.by_batch_size.at(4).infer, microseconds(400));
  EXPECT_EQ(totals.mean_batch(), 2.5);
  EXPECT_GT(totals.last, WallTime{});
}

TEST_F(ModelMetricsTest, TellsFailuresFromAnswers) {
  EXPECT_EQ(model_.totals().failures(), 0);
  for (const auto outcome : {Outcome::Ok, Outcome::Invalid, Outcome::Deadline, Outcome::QueueFull, Outcome::Ok})
    model_.count_outcome(outcome);
  EXPECT_EQ(model_.totals().failures(), 3);
}

TEST_F(ModelMetricsTest, KnowsEveryOutcomeByItsOwnName) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kOutcomes; ++i) {
    const auto [outcome, reason] = name_of(static_cast<Outcome>(i));
    names.push_back(std::string(outcome) + " " + reason);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"ok ", "invalid ", "failed ", "rejected queue_full", "rejected displaced",
                                             "rejected decoders_busy", "rejected deadline"}));
}

}  // namespace
}  // namespace imago::monitor
