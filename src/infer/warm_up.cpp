// SPDX-License-Identifier: Apache-2.0
#include "infer/warm_up.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

namespace imago::infer {
namespace {

constexpr std::chrono::milliseconds kPatience{300};
constexpr int kEverySizeUpTo = 8;  // beyond, powers of two
constexpr int kLargest = 32;       // its memory is the batch's

std::vector<int> sizes_up_to(int max_batch) {
  std::vector<int> sizes{1, max_batch};
  for (int size = 2; size < max_batch; size < kEverySizeUpTo ? ++size : size *= 2) sizes.push_back(size);
  return sizes;
}

void warm_up_one(model::Classifier& engine, const model::InputShape& input, int max_batch) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  for (const int size : sizes_up_to(std::clamp(max_batch, 1, kLargest))) {
    image::ImageBatch batch{
        .n = size, .channels = input.channels, .height = input.height, .width = input.width, .data = {}};
    batch.data.resize(static_cast<std::size_t>(size) * batch.item_size());
    if (!engine.classify(batch) || std::chrono::steady_clock::now() > end) return;
  }
}

}  // namespace

void warm_up(const std::vector<std::unique_ptr<model::Classifier>>& engines, const model::InputShape& input,
             int max_batch) {
  std::vector<std::jthread> threads;
  for (const auto& engine : engines)
    threads.emplace_back([&input, max_batch, own = engine.get()] { warm_up_one(*own, input, max_batch); });
}

}  // namespace imago::infer
