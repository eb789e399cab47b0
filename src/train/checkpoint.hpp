// SPDX-License-Identifier: Apache-2.0
// A run's state on disk, whole or not at all. The format is docs/formats/checkpoint.md:
//
//   "IMAGOCKP" | u32 version | u32 header bytes | header, JSON | learner state | best weights, safetensors | sha256 of
//   all before
//
// Integers are little-endian; the header has the sizes of what follows it.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "train/trainer.hpp"

namespace imago::train {

/// How far a run has come: with the learner's state, all that the next step depends on.
struct Progress {
  int epoch = 0;           ///< being worked on, from 0
  std::int64_t batch = 0;  ///< of that epoch, the next one
  std::int64_t steps = 0;  ///< taken in all
  std::chrono::milliseconds elapsed{0};
  double loss_sum = 0.0;  ///< over the epoch's images so far
  std::int64_t correct = 0;
  std::int64_t images = 0;
  double recent_loss = 0.0;  ///< moving means
  double recent_accuracy = 0.0;
  int best_epoch = 0;  ///< from 1; 0: none yet
  double best_loss = std::numeric_limits<double>::max();
  std::vector<EpochEvent> history;
};

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
