// SPDX-License-Identifier: Apache-2.0
// What decoding changes about an image that somebody may want to know of.
#pragma once

#include "base/error.hpp"
#include "base/hash.hpp"
#include "image/decode.hpp"

namespace imago::image {

struct Conversions {
  Format format = Format::Jpeg;  ///< by its magic bytes
  bool turned = false;           ///< EXIF rotation or mirroring is applied
  bool cmyk = false;             ///< four inks become RGB
  bool deep = false;             ///< 16 bits a channel become 8
  bool first_frame = false;      ///< of an animation the rest is left out
  bool alpha = false;            ///< PNG and WebP: there is transparency, or a place for it; white shows through
};

/// Of bytes that decode() takes; reads headers only (of a GIF: the chain of its blocks). Errors as probe.
Result<Conversions> conversions(Bytes encoded);

}  // namespace imago::image
