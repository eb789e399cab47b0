// SPDX-License-Identifier: Apache-2.0
#include "load/server_view.hpp"

#include <gmock/gmock.h>

#include "monitor/metrics.hpp"

namespace imago::load {
namespace {

using std::chrono::microseconds;
using testing::HasSubstr;

TEST(ServerView, ReadsWhatTheServerWrites) {
  monitor::ServerMetrics metrics("1");
  const auto first = metrics.model("a", 1, {"x", "y"});
  const auto second = metrics.model("b{}\" 7", 2, {"x", "y"});
  const auto before = read_prometheus(metrics.prometheus_text());
  for (int i = 0; i < 3; ++i)
    first->count_prediction(
        0, {microseconds(1000), microseconds(500), microseconds(4000), microseconds(2000), microseconds(8000), 4});
  second->count_prediction(
      0, {microseconds(1000), microseconds(500), microseconds(0), microseconds(2000), microseconds(4000), 2});
  second->count_outcome(monitor::Outcome::QueueFull);
  second->count_outcome(monitor::Outcome::Ok);
  const auto view = difference(read_prometheus(metrics.prometheus_text()), before);
  EXPECT_EQ(view.images, 4.0);
  EXPECT_DOUBLE_EQ(view.mean_batch(), 3.5);
  EXPECT_NEAR(view.mean_ms(&ServerView::decode), 1.0, 1e-9);
  EXPECT_NEAR(view.mean_ms(&ServerView::queue), 3.0, 1e-9);
  EXPECT_NEAR(view.mean_ms(&ServerView::total), 7.0, 1e-9);
  EXPECT_EQ(view.rejected, 1.0);
}

TEST(ServerView, IsEmptyForTextThatIsNoPrometheus) {
  for (const char* text : {"", "\n\n", "# HELP x", "imago_batch_size_sum", "<html> 5", "imago_batch_size_sum x"}) {
    const auto view = read_prometheus(text);
    EXPECT_EQ(view.images, 0.0) << text;
    EXPECT_EQ(view.mean_batch(), 0.0) << text;
  }
}

TEST(AdviceForServer, FollowsWhatWasMeasured) {
  EXPECT_THAT(advice_for_server({}), HasSubstr("computed nothing"));
  EXPECT_THAT(advice_for_server({.images = 100, .batch_sizes = 100, .queue = 0.001, .infer = 0.1}),
              HasSubstr("hardly ever wait"));
  EXPECT_THAT(advice_for_server({.images = 100, .batch_sizes = 400, .queue = 0.1, .infer = 0.1}),
              HasSubstr("form by themselves"));
  EXPECT_THAT(advice_for_server({.images = 100, .batch_sizes = 780, .queue = 1.0, .infer = 0.1}),
              HasSubstr("--max-batch 16"));
  EXPECT_THAT(advice_for_server({.images = 100, .batch_sizes = 780, .queue = 1.0, .infer = 0.1, .rejected = 5}),
              HasSubstr("5 requests were rejected"));
}

}  // namespace
}  // namespace imago::load
