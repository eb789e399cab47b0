// SPDX-License-Identifier: Apache-2.0
#include "fuzz/target.hpp"
#include "image/codecs.hpp"

FUZZ_TARGET(exif) {
  const int orientation = imago::image::codec::exif_orientation(imago::as_bytes(input));
  EXPECTS(orientation >= 1 && orientation <= 8, "an orientation is one of eight");
}
