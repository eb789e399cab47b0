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

/// F32 on disk. Deterministic: the same weights give the same bytes.
std::string encode_safetensors(const Weights& weights, const Metadata& metadata = {});

/// Reads F32, F16, BF16 and F64 (as float32); tensors of integer types are skipped, as counters are. Corrupt when
/// lengths, offsets or shapes disagree with the file, or ranges overlap.
Result<Weights> decode_safetensors(Bytes bytes, Metadata* metadata = nullptr);
Result<Weights> read_safetensors(const std::filesystem::path& path, Metadata* metadata = nullptr);

}  // namespace imago::model
