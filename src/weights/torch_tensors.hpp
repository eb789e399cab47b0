// SPDX-License-Identifier: Apache-2.0
// Inside weights/: PyTorch's tensors, which are views of storages: a type, an offset, a side and a stride a dimension.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "data/pickle.hpp"
#include "model/number_types.hpp"
#include "model/tensor.hpp"

namespace imago::weights {

/// What torch.save writes, out of its zip or stream.
struct TorchParts {
  std::string pickle;                                     ///< data.pkl
  std::map<std::string, std::string, std::less<>> bytes;  ///< of a storage, by its key: data/KEY
  bool big_endian = false;                                ///< byteorder
};

/// The tensors of floats by name, each copied out of its storage, row-major; those of integers are left out, as
/// counters are. The dict may be the whole file or its member "state_dict", "model_state_dict" or "model"; a prefix
/// "module." or
/// "_orig_mod." that all names have (DataParallel, torch.compile) goes.
///
/// Corrupt when a tensor does not lie in its storage; Unsupported when there are none, when the pickle asks for more
/// than a state dict needs, or when tensors that share storages unpack to many times the file.
Result<model::Weights> weights_of(const TorchParts& parts);

/// What a tensor says of its storage.
struct StorageId {
  const model::NumberType* type = nullptr;
  std::string_view key;
  std::int64_t numbers = 0;
};
/// Corrupt when it is no Persistent value of the form that PyTorch gives it.
Result<StorageId> storage_id(const data::PickleValue& value);

/// The error of a pickle that asks for more than a state dict needs, with what to do.
Error weights_alone(Error error);

}  // namespace imago::weights
