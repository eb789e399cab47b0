// SPDX-License-Identifier: Apache-2.0
#include "nn/feature_cache.hpp"

#include <algorithm>

#include "base/hash.hpp"

namespace imago::nn {
namespace {

/// Random crops never come again; their rows must not fill the memory.
constexpr std::size_t kMaxBytes = std::size_t{512} << 20;
/// Rows are computed so many at a time, always, the last one again where there are fewer: a library may choose another
/// algorithm for another number of images, and what an image becomes must not depend on its company, to the bit.
constexpr std::size_t kTogether = 8;

}  // namespace

torch::Tensor FeatureCache::of(const image::ImageBatch& batch, const Compute& compute) {
  std::vector<torch::Tensor> rows(static_cast<std::size_t>(batch.n));
  std::vector<std::string> keys(rows.size());
  std::vector<std::int64_t> missing;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    keys[i] = sha256(Bytes(std::as_bytes(batch.item(static_cast<int>(i)))));
    const auto known = rows_.find(keys[i]);
    if (known != rows_.end()) {
      rows[i] = known->second;
    } else {
      missing.push_back(static_cast<std::int64_t>(i));
    }
  }
  for (std::size_t begin = 0; begin < missing.size(); begin += kTogether) {
    std::vector<std::int64_t> items;
    for (std::size_t k = 0; k < kTogether; ++k) items.push_back(missing[std::min(begin + k, missing.size() - 1)]);
    const auto computed = compute(items);
    for (std::size_t k = 0; k < std::min(kTogether, missing.size() - begin); ++k) {
      const auto i = static_cast<std::size_t>(items[k]);
      rows[i] = computed[static_cast<std::int64_t>(k)].clone();
      const std::size_t size = rows[i].nbytes();
      if (bytes_ + size > kMaxBytes || !rows_.emplace(std::move(keys[i]), rows[i]).second) continue;
      bytes_ += size;
    }
  }
  return torch::stack(rows);
}

void FeatureCache::clear() {
  rows_.clear();
  bytes_ = 0;
}

}  // namespace imago::nn
