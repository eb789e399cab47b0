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

  /// Waits for room. The failure of an earlier one.
  Result<void> submit(CheckTask task);
  /// Waits for all; the first failure, if there was one.
  Result<void> finish();

 private:
  void work();
  Result<void> check(CheckTask& task);

  Staging& staging_;
  RowTable& table_;
  FingerprintFile* prints_;
  BoundedQueue<CheckTask> queue_;
  std::mutex mutex_;  // guards failure_
  std::optional<Error> failure_;
  std::vector<std::thread> threads_;
};

}  // namespace imago::data
