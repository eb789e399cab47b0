// SPDX-License-Identifier: Apache-2.0
// Inside data/: CIFAR-10's own files (Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html). An image is 3072
// bytes: the red plane, the green, the blue, each 32 rows of 32.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "data/manifest.hpp"
#include "image/image.hpp"

namespace imago::data {

inline constexpr std::size_t kCifarImageBytes = 3072;
inline constexpr std::array<std::string_view, 10> kCifarLabels{"airplane", "automobile", "bird",  "cat",  "deer",
                                                               "dog",      "frog",       "horse", "ship", "truck"};

enum class CifarFile { None, BinaryBatch, BinaryNames, PythonBatch, PythonNames };

/// By the file's name: data_batch_1.bin, test_batch.bin, batches.meta.txt; data_batch_1, test_batch, batches.meta.
CifarFile cifar_file(std::string_view path);

/// The split that a batch with this name belongs to.
Split cifar_split(std::string_view path);

struct CifarBatch {
  std::vector<int> labels;
  std::string planes;  ///< kCifarImageBytes for each label
};

/// Corrupt when it is not a whole number of records, or a label is not in 0 to 9.
Result<CifarBatch> read_cifar_batch(CifarFile kind, std::string_view bytes);

/// The ten class names, in label order.
Result<std::vector<std::string>> read_cifar_names(CifarFile kind, std::string_view bytes);

/// @param planes kCifarImageBytes bytes.
image::Image cifar_image(std::string_view planes);

}  // namespace imago::data
