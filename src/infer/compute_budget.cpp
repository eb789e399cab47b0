// SPDX-License-Identifier: Apache-2.0
#include "infer/compute_budget.hpp"

#include <algorithm>
#include <thread>

namespace imago::infer {

using std::chrono::nanoseconds;

ComputeBudget::ComputeBudget(int slots, const Clock& clock)
    : clock_(clock),
      slots_(slots > 0 ? slots : std::max(1, static_cast<int>(std::thread::hardware_concurrency()))),
      free_(slots_) {}

SteadyTime ComputeBudget::acquire(Account& account) {
  std::unique_lock lock(mutex_);
  account.used_ = std::max(account.used_, now_);  // having been idle saves nothing up
  if (free_ > 0) {
    --free_;
    now_ = account.used_;
    return clock_.steady();
  }
  Waiter waiter{.account = &account, .granted = false, .wake = {}};
  waiting_.push_back(&waiter);
  waiter.wake.wait(lock, [&] { return waiter.granted; });
  return clock_.steady();
}

void ComputeBudget::release(Account& account, nanoseconds took) {
  const std::scoped_lock lock(mutex_);
  account.used_ += took;
  const auto next = std::ranges::min_element(waiting_, {}, [](const Waiter* waiter) { return waiter->account->used_; });
  if (next == waiting_.end()) {
    ++free_;
    return;
  }
  Waiter& waiter = **next;
  waiting_.erase(next);
  now_ = std::max(now_, waiter.account->used_);
  waiter.granted = true;
  waiter.wake.notify_one();  // with the lock held: the waiter is gone once it sees that it was granted
}

std::size_t ComputeBudget::waiting() const {
  const std::scoped_lock lock(mutex_);
  return waiting_.size();
}

ComputeBudget::Slot::Slot(ComputeBudget& budget, Account& account)
    : budget_(budget), account_(account), begun_(budget.acquire(account)) {}
ComputeBudget::Slot::~Slot() { budget_.release(account_, budget_.clock_.steady() - begun_); }

}  // namespace imago::infer
