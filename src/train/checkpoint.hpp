// SPDX-License-Identifier: Apache-2.0
// A run's state on disk, whole or not at all. The format is docs/formats/checkpoint.md:
//
//   "IMAGOCKP" | u32 version | u32 header bytes | header, JSON | learner state | best weights, safetensors | sha256 of
//   all before
//
// Integers are little-endian; the header has the sizes of what follows it.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "train/progress.hpp"

namespace imago::train {

struct Checkpoint {
  std::string run;  ///< settings and data, hashed: a checkpoint continues only the run it belongs to
  Progress progress;
  std::string learner;       ///< Learner::save_state
  std::string best_weights;  ///< safetensors; empty: none kept
};

std::string encode_checkpoint(const Checkpoint& checkpoint);

/// Corrupt when the bytes are not a checkpoint, cut short or altered; Unsupported when of another version.
Result<Checkpoint> decode_checkpoint(std::string_view bytes);

Result<void> write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);
Result<Checkpoint> read_checkpoint(const std::filesystem::path& path);  ///< the error names the file

}  // namespace imago::train
