// SPDX-License-Identifier: Apache-2.0
// A split decoded and resized once: uint8 [n, height, width, 3] in a .npy file that numpy can open too, mapped into
// memory.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "base/files.hpp"
#include "data/manifest.hpp"
#include "data/repository.hpp"
#include "image/preprocess.hpp"

namespace imago::data {

/// Images and labels of one split, in manifest order. Read-only; safe from any thread.
class PackedSplit {
 public:
  [[nodiscard]] std::size_t size() const { return labels_.size(); }
  [[nodiscard]] int width() const { return width_; }
  [[nodiscard]] int height() const { return height_; }
  /// uint8 [height * width * 3], interleaved RGB; valid as long as this object.
  [[nodiscard]] std::span<const std::uint8_t> image(std::size_t i) const;
  [[nodiscard]] int label(std::size_t i) const { return labels_[i]; }
  [[nodiscard]] std::span<const int> labels() const { return labels_; }
  /// Index of the image in Manifest::entries.
  [[nodiscard]] std::size_t entry(std::size_t i) const { return entries_[i]; }

  /// These images alone, in this order. The pixels are shared, not copied. @param images each below size().
  [[nodiscard]] PackedSplit subset(std::span<const std::size_t> images) const;

  friend Result<PackedSplit> open_packed(const Repository&, const Manifest&, Split, const image::Preprocess&,
                                         const std::function<void(std::size_t, std::size_t)>&);

 private:
  std::shared_ptr<const MappedFile> file_;
  std::size_t offset_ = 0;  // of the first pixel
  int width_ = 0, height_ = 0;
  std::vector<std::size_t> rows_;  // in the file
  std::vector<int> labels_;
  std::vector<std::size_t> entries_;
};

/// Opens the cache of this split at this size, building it (in parallel, written whole or not at all) when it is not
/// there. Only width, height and fit of `preprocess` matter. `on_progress(done, total)` may be empty. InvalidArgument
/// when the split has no image.
Result<PackedSplit> open_packed(const Repository& repository, const Manifest& manifest, Split split,
                                const image::Preprocess& preprocess,
                                const std::function<void(std::size_t, std::size_t)>& on_progress);

}  // namespace imago::data
