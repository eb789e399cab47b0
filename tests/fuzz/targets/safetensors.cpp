// SPDX-License-Identifier: Apache-2.0
#include "model/safetensors.hpp"

#include "base/files.hpp"
#include "fuzz/target.hpp"

FUZZ_TARGET(safetensors) {
  imago::model::Metadata metadata;
  const auto weights = imago::model::decode_safetensors(imago::as_bytes(input), &metadata);
  if (!weights) return;
  for (const auto& [name, tensor] : *weights) {
    std::size_t count = 1;
    for (const auto side : tensor.shape) count *= static_cast<std::size_t>(side);
    EXPECTS(count == tensor.data.size(), "the numbers are those of the shape");
  }
  const auto text = imago::model::encode_safetensors(*weights, metadata);
  EXPECTS(imago::model::decode_safetensors(imago::as_bytes(text)).has_value(),
          "what was read can be written and read again");
}
