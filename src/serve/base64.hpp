// SPDX-License-Identifier: Apache-2.0
// Base64 (RFC 4648), as images come inside JSON.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace imago::serve {

/// Decodes the standard or the URL alphabet, with or without padding; line breaks between are skipped. InvalidArgument
/// with the position of the first character that is neither.
Result<std::string> decode_base64(std::string_view text);

/// The standard alphabet, with padding.
std::string encode_base64(std::string_view bytes);

}  // namespace imago::serve
