// SPDX-License-Identifier: Apache-2.0
#include "base/queue.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <numeric>
#include <thread>
#include <vector>

namespace imago {
namespace {

TEST(BoundedQueue, KeepsOrderAndRefusesWhenFull) {
  BoundedQueue<std::unique_ptr<int>> queue(2);
  for (int i = 0; i < 2; ++i) {
    auto item = std::make_unique<int>(i);
    EXPECT_TRUE(queue.try_push(item));
  }
  auto third = std::make_unique<int>(2);
  EXPECT_FALSE(queue.try_push(third));
  EXPECT_NE(third, nullptr) << "a refused item is untouched";
  EXPECT_EQ(queue.size(), 2U);
  EXPECT_EQ(**queue.pop(), 0);
  EXPECT_TRUE(queue.try_push(third));
  EXPECT_EQ(**queue.pop(), 1);
  EXPECT_EQ(**queue.pop(), 2);
}

TEST(BoundedQueue, DrainsAfterCloseAndTakesNoMore) {
  BoundedQueue<int> queue(10);
  queue.push(1);
  queue.push(2);
  queue.close();
  int item = 3;
  EXPECT_FALSE(queue.try_push(item));
  EXPECT_FALSE(queue.push(4));
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_EQ(queue.pop(), 2);
  EXPECT_EQ(queue.pop(), std::nullopt);
}

TEST(BoundedQueue, WakesThoseWhoWaitWhenClosed) {
  BoundedQueue<int> empty(1);
  BoundedQueue<int> full(1);
  full.push(0);
  std::thread consumer([&] { EXPECT_EQ(empty.pop(), std::nullopt); });
  std::thread producer([&] { EXPECT_FALSE(full.push(1)); });
  empty.close();
  full.close();
  consumer.join();
  producer.join();
}

TEST(BoundedQueue, LosesAndDoublesNothingBetweenThreads) {
  constexpr int kItems = 20'000;
  BoundedQueue<int> queue(7);
  std::vector<std::atomic<int>> seen(kItems);
  std::vector<std::thread> producers, consumers;
  for (int p = 0; p < 4; ++p)
    producers.emplace_back([&, p] {
      for (int i = p; i < kItems; i += 4) EXPECT_TRUE(queue.push(i));
    });
  for (int c = 0; c < 4; ++c) {
    consumers.emplace_back([&] {
      while (const auto item = queue.pop()) ++seen[static_cast<std::size_t>(*item)];
    });
  }
  for (auto& producer : producers) producer.join();
  queue.close();
  for (auto& consumer : consumers) consumer.join();
  for (const auto& count : seen) ASSERT_EQ(count, 1);
}

}  // namespace
}  // namespace imago
