// SPDX-License-Identifier: Apache-2.0
#include "base/npy.hpp"

#include "fuzz/target.hpp"
#include "package/npy.hpp"

FUZZ_TARGET(npy) {
  const auto bytes = imago::as_bytes(input);
  if (const auto array = imago::read_npy(bytes))
    EXPECTS(array->count() * array->element_bytes() == array->data.size(), "the data are those of the shape");
  if (const auto tensor = imago::package::decode_npy(bytes))
    EXPECTS(imago::package::decode_npy(imago::as_bytes(imago::package::encode_npy(*tensor))).has_value(),
            "what was read can be written and read again");
}
