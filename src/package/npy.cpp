// SPDX-License-Identifier: Apache-2.0
#include "package/npy.hpp"

#include <cstring>

#include "base/npy.hpp"

namespace imago::package {

std::string encode_npy(const model::Tensor& tensor) {
  std::string out = npy_header("<f4", tensor.shape);
  out.append(reinterpret_cast<const char*>(tensor.data.data()), tensor.data.size() * sizeof(float));
  return out;
}

Result<model::Tensor> decode_npy(Bytes bytes) {
  auto array = read_npy(bytes);
  if (!array) return fail(ErrorCode::Corrupt, "{}", array.error().message);  // we wrote it: it can be no other kind
  if (array->type != "<f4" || array->fortran_order)
    return fail(ErrorCode::Corrupt, "not an array of float32 ('<f4') in C order");
  model::Tensor tensor{std::move(array->shape), std::vector<float>(array->data.size() / sizeof(float))};
  if (!tensor.data.empty()) std::memcpy(tensor.data.data(), array->data.data(), array->data.size());
  return tensor;
}

}  // namespace imago::package
