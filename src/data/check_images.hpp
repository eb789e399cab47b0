// SPDX-License-Identifier: Apache-2.0
// Every image of a data set looked at once.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "data/manifest.hpp"
#include "data/perceptual_hash.hpp"
#include "data/repository.hpp"
#include "image/decode.hpp"

namespace imago::data {

/// One content: rows with the same bytes share it.
struct ImageFacts {
  std::vector<std::size_t> entries;  ///< of the manifest, in its order; at least one
  std::string damage;                ///< why it cannot be read; then nothing below is set
  double brightness = 0;             ///< mean of the luma (BT.601), 0 to 255
  double contrast = 0;               ///< standard deviation of the luma
  bool blank = false;                ///< near-constant: no channel's standard deviation is above kBlankDeviation
  image::Format format = image::Format::Jpeg;  ///< by its magic bytes
  bool cmyk = false;                           ///< stored in four inks
  bool alpha = false;                          ///< stored with transparency, or a place for it
  bool gray = false;                           ///< no pixel's channels differ by more than kGrayDifference
  std::vector<std::size_t> misnamed;           ///< of `entries`: the path's ending names another format
  Fingerprint print;
};

inline constexpr int kGrayDifference = 4;

using OnCheck = std::function<void(const std::string& task, std::size_t done, std::size_t total)>;

/// In the order of the contents' first entries; on all cores. About 1 KB of memory for each image, whatever its size: a
/// photograph is decoded, measured and forgotten. Cancelled by `stop`, which may be null.
Result<std::vector<ImageFacts>> look_at_images(const Repository& repository, const Manifest& manifest,
                                               const OnCheck& on_progress, const std::atomic<bool>* stop);

}  // namespace imago::data
