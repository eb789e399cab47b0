// SPDX-License-Identifier: Apache-2.0
// What must hold for the bytes of any image; one fuzzer a format, so that each has a corpus of its own kind.
#pragma once

#include <string_view>

#include "image/decode.hpp"

namespace imago::fuzz {

/// Decodes `input` at full size, and as a model does, when it is of `format`.
void decode_every_way(std::string_view input, image::Format format);

}  // namespace imago::fuzz
