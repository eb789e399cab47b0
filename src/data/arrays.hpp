// SPDX-License-Identifier: Apache-2.0
// Images in NumPy's arrays: what numpy.savez writes of pixels and labels.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/npy.hpp"
#include "data/manifest.hpp"
#include "image/image.hpp"

namespace imago::data {

/// The bytes of a .npy file, and what keeps them: text in memory, or the file itself, mapped.
struct HeldBytes {
  HeldBytes(std::string text);
  HeldBytes(const char* text) : HeldBytes(std::string(text)) {}
  static Result<HeldBytes> map(const std::filesystem::path& file);

  Bytes bytes;
  std::shared_ptr<const void> keeper;

 private:
  HeldBytes() = default;
};

/// One pair of arrays: pixels, and a label for each. Immutable.
class ArrayImages {
 public:
  /// @param pixels, labels .npy files; `labels` may be empty: then nobody said.
  /// @param classes what class numbers count; where empty, labels must be names.
  ///
  /// Pixels: [n, height, width, 3], or gray as [n, height, width] or [n, height, width, 1]; integers from 0 to 255, or
  /// floats from 0 to 1 (or to 255, when one is above 1). Labels: [n] or [n, 1] class numbers or names, or [n, classes]
  /// with a single 1 in each row. Corrupt or Unsupported, naming what was found, for anything else.
  static Result<ArrayImages> open(HeldBytes pixels, Bytes labels, const std::vector<std::string>& classes);

  /// The largest class number in an array of labels; -1 when it holds names.
  static Result<double> largest_class(Bytes labels);

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] image::Image image(std::size_t i) const;
  /// Name of the class; empty: nobody said. InvalidArgument for a class number that is none.
  [[nodiscard]] Result<std::string> label(std::size_t i) const;

 private:
  struct Labels {
    std::vector<std::string> names;
    std::vector<double> numbers;
  };
  using Load = double (*)(const std::byte*);

  Result<void> read_pixels();
  Result<void> read_labels(const NpyArray& array);
  static Load load_for(const std::string& type);

  std::shared_ptr<const void> keeper_;  // of pixels_.data
  NpyArray pixels_;
  Load load_ = nullptr;
  double scale_ = 1.0;
  std::size_t size_ = 0, height_ = 0, width_ = 0, channels_ = 0;
  Labels labels_;
  std::vector<std::string> classes_;
};

/// An array of text.
Result<std::vector<std::string>> read_array_of_names(Bytes bytes);

/// The one pair of arrays in an .npz file (a zip of .npy files) that is of no split: x_new and y_new, x and y, images
/// and labels, or as data/array_names.hpp says; the labels may be missing. Corrupt or Unsupported when it is none, a
/// bomb, or has no such pair.
Result<ArrayImages> read_npz(const std::string& name, std::string_view bytes, const std::vector<std::string>& classes);

/// What a set of arrays has of images.
struct ArraySet {
  std::vector<std::pair<Split, ArrayImages>> splits;  ///< the first is for training
  std::vector<std::string> unused;                    ///< arrays that are no part of it, by name
};

/// The pairs that choose_splits takes of an .npz file. Each array is in memory once, unpacked. Class numbers are named
/// by an array that names_classes, or are their own names, with leading zeros so that they sort.
Result<ArraySet> read_npz_splits(const std::string& name, std::string_view bytes);

/// The same of .npy files, which are mapped, not read: all of a folder; or one pair of it, when `path` is a file of
/// that pair.
Result<ArraySet> read_npy_splits(const std::filesystem::path& path);

/// By its first bytes: a zip whose first member is a .npy file.
bool looks_like_npz(std::string_view bytes);

}  // namespace imago::data
