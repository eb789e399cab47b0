// SPDX-License-Identifier: Apache-2.0
// Inside data/: the threads of an import that decode, hash and store.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/error.hpp"
#include "base/queue.hpp"
#include "data/near_groups.hpp"
#include "data/row_table.hpp"
#include "data/staging.hpp"

namespace imago::data {

/// One image to be checked, its path reserved in the table.
struct CheckTask {
  std::string path;
  std::string bytes;   ///< encoded, or the planes of a CIFAR record
  bool cifar = false;  ///< any planes are an image: nothing to check
};

class Checkers {
 public:
  /// All must outlive this object. @param prints where fingerprints go; null: none are taken.
  Checkers(Staging& staging, RowTable& table, FingerprintFile* prints, int threads);
  ~Checkers() { static_cast<void>(finish()); }
  Checkers(const Checkers&) = delete;
  Checkers& operator=(const Checkers&) = delete;

  /// From one thread. Waits for room. The failure of an earlier one.
  Result<void> submit(CheckTask task);
  /// Waits for all; the first failure, if there was one.
  Result<void> finish();

 private:
  /// Small files go to a thread many at a time: waking it costs more than checking one of CIFAR-10's.
  using Tasks = std::vector<CheckTask>;

  Result<void> hand_over();
  void work();
  Result<void> check(CheckTask& task);

  Staging& staging_;
  RowTable& table_;
  FingerprintFile* prints_;
  Tasks gathered_;  // by submit, not yet in the queue
  std::size_t gathered_bytes_ = 0;
  BoundedQueue<Tasks> queue_;
  std::mutex mutex_;  // guards failure_
  std::optional<Error> failure_;
  std::vector<std::thread> threads_;
};

}  // namespace imago::data
