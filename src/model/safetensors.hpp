// SPDX-License-Identifier: Apache-2.0
// The safetensors format (huggingface/safetensors README): u64 header length, JSON header, raw little-endian data.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "model/tensor.hpp"

namespace imago::model {

using Metadata = std::map<std::string, std::string>;  ///< "__metadata__"

enum class Storage {
  Float32,
  /// F16, rounded to nearest, ties to even; F32 for a tensor that would lose more than the eleven bits of its values:
  /// one that has a value beyond 65504 or none at all (infinite, not a number), and one with values below 2^-14, whose
  /// halves are subnormal: always when it is a vector (a variance of BatchNorm is divided by), a matrix or kernel when
  /// its root mean square is below 2^-13, so that 2^-25, a subnormal's error, is not small beside that of the others.
  Float16,
};

/// Deterministic: the same weights give the same bytes.
std::string encode_safetensors(const Weights& weights, const Metadata& metadata = {},
                               Storage storage = Storage::Float32);

/// Reads F32, F16, BF16 and F64 (as float32); tensors of integer types are skipped, as counters are. Corrupt when
/// lengths, offsets or shapes disagree with the file, or ranges overlap.
Result<Weights> decode_safetensors(Bytes bytes, Metadata* metadata = nullptr);
Result<Weights> read_safetensors(const std::filesystem::path& path, Metadata* metadata = nullptr);

}  // namespace imago::model
