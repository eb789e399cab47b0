// SPDX-License-Identifier: Apache-2.0
#include "monitor/history.hpp"

#include <gmock/gmock.h>

#include <numeric>
#include <thread>

namespace imago::monitor {
namespace {

using namespace std::chrono_literals;
using std::chrono::microseconds;
using std::chrono::seconds;

std::uint64_t total_requests(const HistoryView& view) {
  return std::accumulate(view.points.begin(), view.points.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const HistoryPoint& point) { return sum + point.requests; });
}

class HistoryOfServer : public testing::Test {
 protected:
  FakeClock clock_;
  History history_{clock_};
};

TEST_F(HistoryOfServer, BeginsWithOneEmptyInterval) {
  const auto view = history_.last(60s);
  ASSERT_EQ(view.points.size(), 1U);
  EXPECT_EQ(view.points[0].requests, 0U);
  EXPECT_EQ(view.points[0].throughput, 0.0);
  EXPECT_EQ(view.points[0].error_rate(), 0.0);
  EXPECT_FALSE(view.points[0].latency.has_value());
  EXPECT_EQ(view.points[0].time, clock_.wall());
}

TEST_F(HistoryOfServer, PutsEachRequestIntoItsSecond) {
  const auto start = clock_.wall();
  for (int i = 0; i < 4; ++i) history_.record_request(2ms, i == 0);
  history_.record_prediction();
  clock_.advance(2500ms);
  history_.record_request(8ms, false);
  const auto view = history_.last(60s);
  EXPECT_EQ(view.interval, 1s);
  ASSERT_EQ(view.points.size(), 3U);
  EXPECT_EQ(view.points[0].requests, 4U);
  EXPECT_EQ(view.points[0].errors, 1U);
  EXPECT_EQ(view.points[0].predictions, 1U);
  EXPECT_DOUBLE_EQ(view.points[0].error_rate(), 0.25);
  EXPECT_DOUBLE_EQ(view.points[0].throughput, 4.0);
  EXPECT_EQ(view.points[0].latency->mean, 2ms);
  EXPECT_NEAR(static_cast<double>(view.points[0].latency->p99.count()), 2000, 250);
  EXPECT_EQ(view.points[1].requests, 0U);
  EXPECT_FALSE(view.points[1].latency.has_value());
  EXPECT_EQ(view.points[2].requests, 1U);
  EXPECT_EQ(view.points[2].time, start + 2s);
}

TEST_F(HistoryOfServer, ChoosesIntervalsSoThatAChartHasAtMost120) {
  for (int i = 0; i < 3600; ++i) clock_.advance(1s);
  for (const auto& [span, interval] : std::vector<std::pair<seconds, seconds>>{
           {1s, 1s}, {120s, 1s}, {121s, 2s}, {300s, 5s}, {600s, 5s}, {601s, 10s}, {1800s, 20s}, {3600s, 30s}}) {
    const auto view = history_.last(span);
    EXPECT_EQ(view.interval, interval) << span.count();
    EXPECT_LE(view.points.size(), 120U);
    EXPECT_EQ(view.points.size(), static_cast<std::size_t>((span + interval - 1s) / interval)) << span.count();
  }
  EXPECT_EQ(history_.last(86'400s).points.size(), 120U);
  EXPECT_EQ(history_.last(-5s).points.size(), 1U);
}

// One request each second for two hours: every interval but the one that is filling holds as many as it has seconds.
TEST_F(HistoryOfServer, ForgetsWhatIsOlderThanAnHourAndNothingElse) {
  for (int i = 0; i < 7200; ++i) {
    history_.record_request(1ms, false);
    clock_.advance(1s);
  }
  for (const auto span : {60s, 240s, 600s, 1200s, 3600s}) {
    const auto view = history_.last(span);
    for (std::size_t i = 0; i + 1 < view.points.size(); ++i)
      EXPECT_EQ(view.points[i].requests, static_cast<std::uint64_t>(view.interval.count())) << span.count() << " " << i;
  }
  clock_.advance(3700s);
  EXPECT_EQ(total_requests(history_.last(3600s)), 0U);
}

TEST_F(HistoryOfServer, ShowsTheSameIntervalsWhenAskedAgain) {
  for (int i = 0; i < 100; ++i) {
    history_.record_request(1ms, false);
    clock_.advance(7s);
  }
  const auto before = history_.last(1200s);
  clock_.advance(3s);
  const auto after = history_.last(1200s);
  ASSERT_GT(before.points.size(), 10U);
  for (std::size_t i = 0; i + 1 < before.points.size(); ++i) {
    EXPECT_EQ(before.points[i].time, after.points[i].time);
    EXPECT_EQ(before.points[i].requests, after.points[i].requests);
  }
}

TEST_F(HistoryOfServer, MeasuresTheThroughputOfAnUnfinishedIntervalOverWhatHasPassed) {
  clock_.advance(600s);
  for (int i = 0; i < 40; ++i) history_.record_request(1ms, false);
  clock_.advance(4s);
  const auto view = history_.last(3600s);
  ASSERT_EQ(view.interval, 30s);
  EXPECT_DOUBLE_EQ(view.points.back().throughput, 10.0);
}

TEST_F(HistoryOfServer, TakesTheQuantilesOfAllItsSeconds) {
  for (int i = 0; i < 100; ++i) {
    history_.record_request(microseconds(1000 * (i + 1)), false);
    if (i % 25 == 24) clock_.advance(1s);
  }
  const auto view = history_.last(600s);
  ASSERT_EQ(view.interval, 5s);
  ASSERT_TRUE(view.points[0].latency.has_value());
  EXPECT_EQ(view.points[0].latency->mean, microseconds(50'500));
  EXPECT_NEAR(static_cast<double>(view.points[0].latency->p50.count()), 50'000, 2'500);
  EXPECT_NEAR(static_cast<double>(view.points[0].latency->p95.count()), 95'000, 4'000);
}

TEST(History, LosesNothingBetweenThreads) {
  History history(system_clock());
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5000; ++i) {
        history.record_request(microseconds(100), i % 2 == 0);
        history.record_prediction();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(total_requests(history.last(600s)), 20'000U);
}

}  // namespace
}  // namespace imago::monitor
