// SPDX-License-Identifier: Apache-2.0
// Data sets' rows in memory: reading 60,000 of them anew for each sample image would take a quarter of a second each.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>

#include "base/error.hpp"
#include "data/repository.hpp"

namespace imago::serve {

struct LoadedDataset {
  std::string version;
  data::Manifest manifest;
  std::unordered_set<std::string_view> contents;  ///< the sha256 of its images, in `manifest`
};

/// The versions that were asked for last. A version never changes, so nothing here is ever out of date. Safe from any
/// thread.
class DatasetCache {
 public:
  explicit DatasetCache(const data::Repository& repository) : repository_(repository) {}

  /// @param reference as Repository::load; so are the errors.
  Result<std::shared_ptr<const LoadedDataset>> load(const std::string& reference);

 private:
  static constexpr std::size_t kKept = 4;

  const data::Repository& repository_;
  std::mutex mutex_;  // guards loaded_; held while reading, so that nobody reads the same twice
  std::list<std::shared_ptr<const LoadedDataset>> loaded_;
};

}  // namespace imago::serve
