// SPDX-License-Identifier: Apache-2.0
// Inside package/: float32 arrays in NumPy's .npy format (base/npy.hpp), C order, little-endian.
#pragma once

#include <string>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "model/tensor.hpp"

namespace imago::package {

/// The bytes that numpy.save writes for the same array.
std::string encode_npy(const model::Tensor& tensor);

/// Reads what encode_npy and numpy.save write. Corrupt when it is no .npy of this kind, or when its shape and its
/// length disagree; nothing is allocated before that is known.
Result<model::Tensor> decode_npy(Bytes bytes);

}  // namespace imago::package
