// SPDX-License-Identifier: Apache-2.0
#include "data/checkers.hpp"

#include <utility>

#include "data/cifar.hpp"
#include "data/remarks.hpp"
#include "data/source.hpp"
#include "image/decode.hpp"
#include "image/encode.hpp"

namespace imago::data {
namespace {

constexpr std::size_t kQueued = 16;
constexpr std::size_t kTogether = 16;                           // files ...
constexpr std::size_t kBytesTogether = std::size_t{128} << 10;  // ... or bytes

}  // namespace

Checkers::Checkers(Staging& staging, RowTable& table, FingerprintFile* prints, int threads)
    : staging_(staging), table_(table), prints_(prints), queue_(kQueued) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

Result<void> Checkers::submit(CheckTask task) {
  gathered_bytes_ += task.bytes.size();
  gathered_.push_back(std::move(task));
  if (gathered_.size() < kTogether && gathered_bytes_ < kBytesTogether) return {};
  return hand_over();
}

Result<void> Checkers::hand_over() {
  gathered_bytes_ = 0;
  if (queue_.push(std::exchange(gathered_, {}))) return {};
  const std::scoped_lock lock(mutex_);
  return tl::unexpected<Error>(*failure_);
}

Result<void> Checkers::finish() {
  if (!gathered_.empty()) static_cast<void>(hand_over());
  queue_.close();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
  if (failure_) return tl::unexpected<Error>(*failure_);
  return {};
}

void Checkers::work() {
  while (auto tasks = queue_.pop()) {
    for (CheckTask& task : *tasks) {
      if (auto checked = check(task); !checked) {
        const std::scoped_lock lock(mutex_);
        if (!failure_) failure_ = std::move(checked.error());
        queue_.close();
        return;
      }
    }
  }
}

Result<void> Checkers::check(CheckTask& task) {
  if (!is_utf8(task.path)) return table_.refuse(task.path, "its name is not UTF-8");
  std::optional<image::Image> pixels;
  if (task.cifar) {
    pixels = cifar_image(task.bytes);
    TRY(task.bytes, image::encode_png(*pixels));
  }
  CheckedFile file{.path = std::move(task.path), .sha256 = sha256(task.bytes)};
  // What is stored was decoded when it came: its header is enough, unless the pixels are needed.
  const bool known = staging_.repository().has_object(file.sha256, task.bytes);
  if (known && prints_ == nullptr) {
    TRY(const auto size, image::probe(as_bytes(task.bytes)));
    file.width = size.width;
    file.height = size.height;
  } else {
    if (!pixels) {
      auto decoded = image::decode(as_bytes(task.bytes));
      if (!decoded) return table_.refuse(file.path, decoded.error().message);
      pixels = std::move(*decoded);
    }
    file.width = pixels->width;
    file.height = pixels->height;
    if (!known) TRY_VOID(staging_.put_new(file.sha256, task.bytes));
  }
  file.remarks = task.cifar ? 0 : remarks_on(file.path, as_bytes(task.bytes));
  if (prints_ != nullptr) {
    TRY(const auto print, fingerprint(std::move(*pixels)));
    TRY_VOID(prints_->add(file.sha256, print));
  }
  return table_.keep(file);
}

}  // namespace imago::data
