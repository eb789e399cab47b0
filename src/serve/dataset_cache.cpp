// SPDX-License-Identifier: Apache-2.0
#include "serve/dataset_cache.hpp"

#include <algorithm>

namespace imago::serve {

Result<std::shared_ptr<const LoadedDataset>> DatasetCache::load(const std::string& reference) {
  TRY(const auto version, repository_.version(reference));
  const auto name = reference.substr(0, reference.find('@'));
  const std::scoped_lock lock(mutex_);
  const auto known = std::ranges::find_if(
      loaded_, [&](const auto& dataset) { return dataset->version == version && dataset->manifest.name == name; });
  if (known != loaded_.end()) {
    loaded_.splice(loaded_.begin(), loaded_, known);
    return loaded_.front();
  }
  auto dataset = std::make_shared<LoadedDataset>();
  dataset->version = version;
  TRY(dataset->manifest, repository_.load(name + "@" + version));
  for (const auto& entry : dataset->manifest.entries) dataset->contents.insert(entry.sha256);
  loaded_.push_front(std::move(dataset));
  if (loaded_.size() > kKept) loaded_.pop_back();
  return loaded_.front();
}

}  // namespace imago::serve
