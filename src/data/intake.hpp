// SPDX-License-Identifier: Apache-2.0
// Inside data/: what comes out of a source, sorted: images to the checkers, CIFAR's batches record by record, the rest
// to the refusals.
#pragma once

#include <atomic>
#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "data/checkers.hpp"
#include "data/cifar.hpp"
#include "data/import.hpp"
#include "data/places.hpp"
#include "data/row_table.hpp"
#include "data/source.hpp"

namespace imago::data {

/// Cancelled, once `*stop` is true.
Result<void> check_stop(const std::atomic<bool>* stop);

class Intake {
 public:
  /// All must outlive this object; `on_progress` may be empty and `stop` null.
  Intake(Checkers& checkers, RowTable& table, const OnImportProgress& on_progress, const std::atomic<bool>* stop)
      : checkers_(checkers), table_(table), on_progress_(on_progress), stop_(stop) {}

  Result<void> take(SourceItem item);
  void report(std::uint64_t read, std::uint64_t total);

  /// What the places of the source mean, once all is taken.
  Result<Layout> lay_out();
  [[nodiscard]] const std::vector<Place>& places() { return places_.all(); }

 private:
  Result<void> take_cifar(CifarFile file, const SourceItem& item);
  Result<void> take_batch(CifarFile file, const SourceItem& item);
  Layout lay_out_cifar();

  Checkers& checkers_;
  RowTable& table_;
  const OnImportProgress& on_progress_;
  const std::atomic<bool>* stop_;
  Places places_;
  std::chrono::steady_clock::time_point reported_{};
  std::vector<std::string> cifar_labels_;  // as a file of the source names them, or officially
  int cifar_classes_ = 0;
  std::set<std::string> cifar_batches_;  // without their endings
};

}  // namespace imago::data
