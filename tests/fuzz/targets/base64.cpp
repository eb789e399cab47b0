// SPDX-License-Identifier: Apache-2.0
#include "serve/base64.hpp"

#include "fuzz/target.hpp"

FUZZ_TARGET(base64) {
  const auto decoded = imago::serve::decode_base64(imago::serve::encode_base64(input));
  EXPECTS(decoded && *decoded == input, "what was written can be read again");
  if (const auto bytes = imago::serve::decode_base64(input))
    EXPECTS(bytes->size() <= input.size(), "bytes are fewer than their letters");
}
