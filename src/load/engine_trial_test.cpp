// SPDX-License-Identifier: Apache-2.0
#include "load/engine_trial.hpp"

#include <gmock/gmock.h>

#include "load/report.hpp"

namespace imago::load {
namespace {

EngineTrial trial(int batch, int workers, std::uint64_t images) {
  EngineTrial made;
  made.batch = batch;
  made.workers = workers;
  made.seconds = 1.0;
  made.images = images;
  made.latencies.add(std::chrono::microseconds(1'000'000LL * batch * workers / static_cast<std::int64_t>(images)));
  return made;
}

TEST(Advise, TakesTheSmallestBatchThatIsWithinFivePercentOfTheBest) {
  const auto advice = advise({trial(1, 2, 900), trial(2, 2, 960), trial(4, 2, 990), trial(8, 2, 1000)});
  EXPECT_EQ(advice.max_batch, 2);
  EXPECT_EQ(advice.workers, 2);
  EXPECT_EQ(advice.delay.count(), 0);
}

TEST(Advise, TakesFewerWorkersWhereMoreGainNothing) {
  EXPECT_EQ(advise({trial(1, 2, 500), trial(4, 2, 1000), trial(4, 1, 980)}).workers, 1);
  EXPECT_EQ(advise({trial(1, 2, 500), trial(4, 2, 1000), trial(4, 1, 600)}).workers, 2);
}

TEST(Advise, DelaysOnlyWhereBatchesMoreThanDoubleTheRate) {
  EXPECT_EQ(advise({trial(1, 1, 500), trial(8, 1, 1000)}).delay.count(), 0);
  const auto advice = advise({trial(1, 1, 200), trial(8, 1, 1000)});
  EXPECT_EQ(advice.max_batch, 8);
  EXPECT_NEAR(static_cast<double>(advice.delay.count()), 8000.0 / 4, 20.0);
}

TEST(HistogramInWords, AccountsForEveryLatency) {
  monitor::FineLatencyHistogram latencies;
  for (int i = 1; i <= 1000; ++i) latencies.add(std::chrono::microseconds(i * 100));
  const auto text = histogram_in_words(latencies);
  EXPECT_EQ(std::ranges::count(text, '\n'), 12);
  EXPECT_THAT(text, testing::HasSubstr("100.00 %"));
  EXPECT_EQ(histogram_in_words({}), "");
}

}  // namespace
}  // namespace imago::load
