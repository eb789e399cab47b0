// SPDX-License-Identifier: Apache-2.0
// Threads for work too long for an event loop: decoding a large photo takes as long as answering a hundred small ones.
#pragma once

#include <functional>
#include <thread>
#include <vector>

#include "base/queue.hpp"

namespace imago::http {

class WorkPool {
 public:
  WorkPool(int threads, std::size_t capacity);
  /// Does what is queued, then stops.
  ~WorkPool();

  /// Never waits. False when the queue is full; `work` is then not done.
  bool try_run(std::function<void()> work);

 private:
  BoundedQueue<std::function<void()>> queue_;
  std::vector<std::thread> threads_;
};

}  // namespace imago::http
