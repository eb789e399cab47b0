// SPDX-License-Identifier: Apache-2.0
#include "infer/compute_budget.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace imago::infer {
namespace {

using std::chrono::milliseconds;

void await_waiting(const ComputeBudget& budget, std::size_t count) {
  while (budget.waiting() < count) std::this_thread::yield();
}

TEST(ComputeBudget, LetsAsManyComputeAtOnceAsItHasSlots) {
  ComputeBudget budget(2);
  std::vector<ComputeBudget::Account> accounts(5);
  std::atomic<int> computing = 0, most = 0;
  std::vector<std::thread> threads;
  for (auto& account : accounts)
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) {
        const ComputeBudget::Slot slot(budget, account);
        const int now = ++computing;
        for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
        }
        std::this_thread::yield();
        --computing;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_LE(most, 2);
  EXPECT_EQ(budget.waiting(), 0U);
}

/// One slot that is taken, so that others can be lined up behind it.
class LinedUp : public testing::Test {
 protected:
  void line_up(ComputeBudget::Account& account, const std::string& name, milliseconds computes = milliseconds(0)) {
    threads_.emplace_back([this, &account, name, computes] {
      const ComputeBudget::Slot slot(budget_, account);
      order_.push_back(name);
      clock_.advance(computes);
    });
    await_waiting(budget_, threads_.size());
  }
  std::vector<std::string> let_go() {
    taken_.reset();
    for (auto& thread : threads_) thread.join();
    threads_.clear();
    return std::exchange(order_, {});
  }

  FakeClock clock_;  // only whoever has the slot looks at it
  ComputeBudget budget_{1, clock_};
  ComputeBudget::Account first_, heavy_, light_;
  std::optional<ComputeBudget::Slot> taken_{std::in_place, budget_, first_};
  std::vector<std::thread> threads_;
  std::vector<std::string> order_;  // by whoever has the slot
};

TEST_F(LinedUp, LetsInWhoHasComputedLeast) {
  line_up(heavy_, "heavy", milliseconds(3));
  line_up(heavy_, "heavy");
  line_up(light_, "light");
  EXPECT_THAT(let_go(), testing::ElementsAre("heavy", "light", "heavy"));
}

TEST_F(LinedUp, SavesNothingUpForWhoWasIdle) {
  line_up(heavy_, "heavy", milliseconds(5));
  let_go();
  taken_.emplace(budget_, heavy_);
  clock_.advance(milliseconds(1));
  line_up(light_, "light", milliseconds(2));
  line_up(light_, "light");
  line_up(heavy_, "heavy");
  EXPECT_THAT(let_go(), testing::ElementsAre("light", "heavy", "light"))
      << "not all of light's first, as if it had those 5 ms to catch up";
}

TEST(ComputeBudget, HasASlotForEachCoreUnlessTold) {
  EXPECT_EQ(ComputeBudget(3).slots(), 3);
  EXPECT_EQ(ComputeBudget().slots(), static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
}

}  // namespace
}  // namespace imago::infer
