// SPDX-License-Identifier: Apache-2.0
// NumPy's .npy format (numpy.lib.format): a header with element type and shape, then the elements.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/hash.hpp"

namespace imago {

/// An array as it lies in the file.
struct NpyArray {
  std::string type;  ///< numpy's descr: "<f4", "|u1", "<U10"
  bool fortran_order = false;
  std::vector<std::int64_t> shape;
  Bytes data;  ///< into the bytes it was read from; exactly the elements of `shape`

  [[nodiscard]] std::size_t count() const;          ///< of elements
  [[nodiscard]] std::size_t element_bytes() const;  ///< of one
};

/// By its first bytes.
bool looks_like_npy(std::string_view bytes);

/// What comes before the data when numpy.save writes an array in C order: version 1.0, data on a multiple of 64.
/// EXPECTS a header that such a file can have: up to eight dimensions.
std::string npy_header(std::string_view type, const std::vector<std::int64_t>& shape);

/// Reads versions 1.0 to 3.0 of up to eight dimensions. Corrupt when it is no .npy, or when its shape and its length
/// disagree; Unsupported when its elements are Python objects, records or not little-endian. Allocates nothing but the
/// header.
Result<NpyArray> read_npy(Bytes bytes);

}  // namespace imago
