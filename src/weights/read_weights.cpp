// SPDX-License-Identifier: Apache-2.0
#include "weights/read_weights.hpp"

#include "base/files.hpp"
#include "model/safetensors.hpp"
#include "weights/torch_file.hpp"

namespace imago::weights {

Result<model::Weights> read_weights(const fs::path& path) {
  TRY(const auto file, MappedFile::open(path));
  const bool torch = looks_like_torch(as_text(file.bytes()));
  auto weights = torch ? decode_torch_file(as_text(file.bytes())) : model::decode_safetensors(file.bytes());
  if (!weights) return pass(weights, path.string());
  return weights;
}

}  // namespace imago::weights
