// SPDX-License-Identifier: Apache-2.0
// Weights from a file, whoever wrote it.
#pragma once

#include <filesystem>

#include "base/error.hpp"
#include "model/tensor.hpp"

namespace imago::weights {

/// Tensors of floats by name, of a .safetensors file or of a state dict that torch.save wrote (.pth, .pt), told apart
/// by their first bytes. Nothing in the file is run. Corrupt or Unsupported, saying what to do, for anything else.
Result<model::Weights> read_weights(const std::filesystem::path& path);

}  // namespace imago::weights
