// SPDX-License-Identifier: Apache-2.0
// Pixels to encoded bytes.
#pragma once

#include <string>

#include "base/error.hpp"
#include "image/image.hpp"

namespace imago::image {

/// @param quality 1 to 100.
Result<std::string> encode_jpeg(const Image& image, int quality = 90);
Result<std::string> encode_png(const Image& image);

}  // namespace imago::image
