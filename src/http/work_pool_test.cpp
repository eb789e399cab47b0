// SPDX-License-Identifier: Apache-2.0
#include "http/work_pool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <stdexcept>

namespace imago::http {
namespace {

TEST(WorkPool, DoesAllThatWasQueuedBeforeItStops) {
  std::atomic<int> done{0};
  {
    WorkPool pool(2, 100);
    for (int i = 0; i < 50; ++i) EXPECT_TRUE(pool.try_run([&] { ++done; }));
  }
  EXPECT_EQ(done, 50);
}

TEST(WorkPool, RefusesAtOnceWhenItsQueueIsFull) {
  std::promise<void> started, release;
  auto released = release.get_future().share();
  WorkPool pool(1, 1);
  ASSERT_TRUE(pool.try_run([&] {
    started.set_value();
    released.wait();
  }));
  started.get_future().wait();
  EXPECT_TRUE(pool.try_run([] {}));
  EXPECT_FALSE(pool.try_run([] {}));
  release.set_value();
}

TEST(WorkPool, OutlivesWorkThatThrows) {
  std::promise<int> after;
  WorkPool pool(1, 2);
  EXPECT_TRUE(pool.try_run([] { throw std::runtime_error("on purpose"); }));
  EXPECT_TRUE(pool.try_run([&] { after.set_value(1); }));
  EXPECT_EQ(after.get_future().get(), 1);
}

}  // namespace
}  // namespace imago::http
