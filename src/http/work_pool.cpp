// SPDX-License-Identifier: Apache-2.0
#include "http/work_pool.hpp"

#include "base/log.hpp"

namespace imago::http {

WorkPool::WorkPool(int threads, std::size_t capacity) : queue_(capacity) {
  for (int i = 0; i < threads; ++i) {
    threads_.emplace_back([this] {
      while (auto work = queue_.pop()) {
        try {
          (*work)();
        } catch (const std::exception& error) {  // the thread's entry; the request's Responder has answered 500
          log::error("work pool: {}", error.what());
        }
      }
    });
  }
}

WorkPool::~WorkPool() {
  queue_.close();
  for (auto& thread : threads_) thread.join();
}

bool WorkPool::try_run(std::function<void()> work) { return queue_.try_push(work); }

}  // namespace imago::http
