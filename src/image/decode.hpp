// SPDX-License-Identifier: Apache-2.0
// Encoded bytes to pixels. Every byte is hostile: the format is told by magic bytes, size is checked before anything
// is allocated, and no decoder reads past its input.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "image/image.hpp"

namespace imago::image {

enum class Format { Jpeg, Png, WebP, Bmp, Gif };
std::string_view to_string(Format format) noexcept;   ///< "jpeg", "png", ...
std::string_view media_type(Format format) noexcept;  ///< "image/jpeg", ...

struct DecodeLimits {
  std::uint64_t max_bytes = 32u << 20;    ///< encoded
  std::uint64_t max_pixels = 64'000'000;  ///< width * height, checked before decoding
  int max_side = 16'384;
};

/// What the header says, without decoding.
struct Probe {
  Format format;
  int width = 0;  ///< as displayed: EXIF rotation applied
  int height = 0;
};

/// Unsupported when the magic bytes are no image's we read ("not an image we read: starts with 'Hell'..."); Corrupt
/// when the header is broken; ResourceExhausted over a limit, with the values ("20000 x 20000 = 400000000 pixels, at
/// most 64000000").
Result<Probe> probe(Bytes encoded, const DecodeLimits& limits = {});

/// Decodes to RGB: gray is spread, CMYK converted, 16 bit reduced, palette expanded, alpha laid over white, EXIF
/// rotation applied, the first frame of a GIF or WebP animation. Same errors as probe; Corrupt when truncated.
///
/// `least_side` > 0 lets a JPEG be decoded at a reduced scale (1/2, 1/4, 1/8) while both sides stay >= least_side:
/// cheaper, and the resize that follows does the rest. 0 decodes at full size. Safe from any thread.
Result<Image> decode(Bytes encoded, const DecodeLimits& limits = {}, int least_side = 0);

}  // namespace imago::image
