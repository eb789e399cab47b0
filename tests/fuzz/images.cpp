// SPDX-License-Identifier: Apache-2.0
#include "fuzz/images.hpp"

#include "base/files.hpp"
#include "image/preprocess.hpp"

namespace imago::fuzz {

void decode_every_way(std::string_view input, image::Format format) {
  // The usual limit of 64 million pixels, filled and resized under a sanitizer, takes seconds: it would hide real
  // hangs.
  const image::DecodeLimits limits{.max_pixels = 1U << 18};
  const auto bytes = as_bytes(input);
  const auto probe = image::probe(bytes, limits);
  if (!probe || probe->format != format) return;
  if (const auto image = image::decode(bytes, limits)) {
    EXPECTS(image->width == probe->width && image->height == probe->height, "the header's size is the image's");
    EXPECTS(image->rgb.size() == image->pixels() * 3, "an image's pixels match its size");
  }
  const image::Preprocess preprocess{.width = 8, .height = 6, .fit = image::Fit::CropCentre};
  if (const auto image = image::decode_and_resize(bytes, preprocess, limits))
    EXPECTS(image->rgb.size() == 8 * 6 * 3, "an image has the size it was resized to");
}

}  // namespace imago::fuzz
