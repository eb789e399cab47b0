// SPDX-License-Identifier: Apache-2.0
// As many inferences at the same time as there are cores for them, whichever models they are of: several loaded models
// share the machine instead of crowding it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>

#include "base/clock.hpp"

namespace imago::infer {

/// A fixed number of slots. Whoever has computed least of those who wait is next, so that a model with light work or
/// few requests waits for one batch of the others at most, not for all that stand in their line (start-time fair
/// queueing: Goyal, Vin, Cheng, SIGCOMM 1996). Safe from any thread.
class ComputeBudget {
 public:
  /// What a model has used. It belongs to one budget.
  class Account {
    friend class ComputeBudget;
    std::chrono::nanoseconds used_{0};
  };

  /// @param slots  0: one a core.
  explicit ComputeBudget(int slots = 0, const Clock& clock = system_clock());
  ComputeBudget(const ComputeBudget&) = delete;
  ComputeBudget& operator=(const ComputeBudget&) = delete;

  /// A slot while it lives; the constructor waits for one.
  class Slot {
   public:
    Slot(ComputeBudget& budget, Account& account);
    ~Slot();
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;

   private:
    ComputeBudget& budget_;
    Account& account_;
    const SteadyTime begun_;
  };

  [[nodiscard]] int slots() const { return slots_; }
  /// Those who wait for a slot.
  [[nodiscard]] std::size_t waiting() const;

 private:
  struct Waiter {
    Account* account;
    bool granted = false;
    std::condition_variable wake;
  };

  /// The time since when it is held.
  SteadyTime acquire(Account& account);
  void release(Account& account, std::chrono::nanoseconds took);

  const Clock& clock_;
  const int slots_;
  mutable std::mutex mutex_;  // guards what follows, and the accounts
  int free_;
  std::list<Waiter*> waiting_;       // in order of arrival
  std::chrono::nanoseconds now_{0};  // what the one that was let in last had used: who comes back begins from there
};

}  // namespace imago::infer
