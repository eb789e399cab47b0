// SPDX-License-Identifier: Apache-2.0
// Inside weights/: the zip that torch.save writes since PyTorch 1.6: TOP/data.pkl, TOP/data/KEY, TOP/byteorder.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "model/tensor.hpp"

namespace imago::weights {

/// By its first bytes: a zip, or the format of PyTorch before 1.6.
bool looks_like_torch(std::string_view bytes);

/// The weights of a state dict; see weights_of. Unsupported, saying what to do, for TorchScript and for the format
/// before 1.6; Corrupt for a damaged zip or one that unpacks to many times its size.
Result<model::Weights> decode_torch_file(std::string_view bytes);

}  // namespace imago::weights
