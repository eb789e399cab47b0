// SPDX-License-Identifier: Apache-2.0
// Inside data/: the own files of CIFAR-10 and CIFAR-100 (Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html).
// An image is 3072 bytes: the red plane, the green, the blue, each 32 rows of 32.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "data/manifest.hpp"
#include "image/image.hpp"

namespace imago::data {

class Pickle;

inline constexpr std::size_t kCifarImageBytes = 3072;

/// One of their files: what it holds, how it is written, and of which of the two.
struct CifarFile {
  enum class Holds { Nothing, Images, Names, CoarseNames };
  Holds holds = Holds::Nothing;
  bool python = false;  ///< a pickle, not plain records
  int classes = 10;     ///< 10 or 100
};

/// By the file's name: data_batch_1.bin, test_batch.bin, batches.meta.txt or data_batch_1, test_batch, batches.meta;
/// train.bin, test.bin, fine_label_names.txt, coarse_label_names.txt or train, test, meta. The last three are words
/// that anything may be called, so the file must begin as a pickle too.
CifarFile cifar_file(std::string_view path, std::string_view bytes);

/// True for the names of CIFAR-100's batches, which hold 160 MB each.
bool is_large_cifar_file(std::string_view path);

/// The path of a batch's image in a data set: "data_batch_1/00042.png".
std::string cifar_path(std::string_view batch, std::size_t image);

/// The split that a batch with this name belongs to.
Split cifar_split(std::string_view path);

/// Labels and images of one file. Valid as long as the bytes it was read from.
struct CifarBatch {
  std::vector<int> labels;  ///< CIFAR-100: the fine ones

  /// Its planes: kCifarImageBytes bytes.
  [[nodiscard]] std::string_view image(std::size_t i) const {
    return records.substr(i * stride + offset, kCifarImageBytes);
  }

  std::string_view records;
  std::size_t stride = kCifarImageBytes, offset = 0;
  std::shared_ptr<const void> keeper;  ///< of `records`, where they are not in the file as they are
};

/// @param file holds images. Corrupt when it is not a whole number of records, or a label is out of range.
Result<CifarBatch> read_cifar_batch(CifarFile file, std::string_view bytes);

/// The 10 or 100 class names, in label order. @param file holds names.
Result<std::vector<std::string>> read_cifar_names(CifarFile file, std::string_view bytes);

/// The official names, for sources without a file of them.
std::vector<std::string> cifar_names(int classes);

/// @param planes kCifarImageBytes bytes.
image::Image cifar_image(std::string_view planes);

}  // namespace imago::data
