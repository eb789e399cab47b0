// SPDX-License-Identifier: Apache-2.0
// Inside weights/: what torch.save wrote before PyTorch 1.6, and writes on request still: five pickles, the last one of
// keys, then the storages of these keys, each after the number of its elements. Source: PyTorch,
// torch/serialization.py, _legacy_save.
#pragma once

#include <string_view>

#include "base/error.hpp"
#include "weights/torch_tensors.hpp"

namespace imago::weights {

bool looks_like_torch_stream(std::string_view bytes);

/// @param bytes That look like one. Corrupt when it is cut short or says otherwise than it is; Unsupported as
/// weights_of.
Result<TorchParts> read_torch_stream(std::string_view bytes);

}  // namespace imago::weights
