// SPDX-License-Identifier: Apache-2.0
// A zip of PyTorch's; or, past its checksums, a pickle with its length before it in two bytes, then the bytes of
// storage "0" and "1".
#include "weights/torch_file.hpp"

#include <algorithm>

#include "fuzz/target.hpp"
#include "weights/torch_tensors.hpp"

namespace {

void check(const imago::Result<imago::model::Weights>& weights) {
  if (!weights) {
    EXPECTS(!weights.error().message.empty(), "a refusal says why");
    return;
  }
  EXPECTS(!weights->empty(), "a file of no weights is refused");
  for (const auto& [name, tensor] : *weights) {
    std::size_t count = 1;
    for (const auto side : tensor.shape) count *= static_cast<std::size_t>(side);
    EXPECTS(count == tensor.data.size(), "the numbers are those of the shape");
  }
}

}  // namespace

FUZZ_TARGET(torch_file) {
  if (imago::weights::looks_like_torch(input)) return check(imago::weights::decode_torch_file(input));
  const std::size_t claimed = imago::fuzz::take_number(input, 2);
  const std::size_t length = std::min(claimed & 0x7FFFU, input.size());
  const auto rest = std::string(input.substr(length));
  check(imago::weights::weights_of({.pickle = std::string(input.substr(0, length)),
                                    .bytes = {{"0", rest}, {"1", rest}},
                                    .big_endian = claimed > 0x7FFF}));
}
