// SPDX-License-Identifier: Apache-2.0
// Inside image/: one pair of functions per format, and what they share. Callers elsewhere use decode.hpp.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.hpp"
#include "base/files.hpp"
#include "image/image.hpp"

namespace imago::image::codec {

/// What a header says. `orientation` is EXIF's, 1 to 8: 1 as stored, 5 to 8 swap the sides.
struct Header {
  int width = 0;  ///< as stored
  int height = 0;
  int orientation = 1;
};

// The header functions allocate next to nothing, whatever the header claims. The decode functions trust that decode.cpp
// has held the header to the limits; they allocate by it, and return the pixels as stored, before rotation.
Result<Header> jpeg_header(Bytes encoded);
Result<Image> decode_jpeg(Bytes encoded, int least_side);
Result<Header> png_header(Bytes encoded);
Result<Image> decode_png(Bytes encoded);
Result<Header> webp_header(Bytes encoded);
Result<Image> decode_webp(Bytes encoded);
Result<Header> gif_header(Bytes encoded);
Result<Image> decode_gif(Bytes encoded);
Result<Header> bmp_header(Bytes encoded);
Result<Image> decode_bmp(Bytes encoded);

/// A white image.
Image blank(int width, int height);

/// The colour of one channel laid over white: rounds to the nearest.
constexpr std::uint8_t over_white(std::uint8_t value, std::uint8_t alpha) {
  return static_cast<std::uint8_t>((value * alpha + 255 * (255 - alpha) + 127) / 255);
}

/// The orientation in an EXIF block (a TIFF header and its first directory); 1 when there is none or it is broken,
/// because a bad tag is no reason to refuse the pixels.
int exif_orientation(Bytes tiff);

/// Turns stored pixels the way EXIF says they are to be seen.
Image upright(Image image, int orientation);

inline const std::uint8_t* data_of(Bytes bytes) { return reinterpret_cast<const std::uint8_t*>(bytes.data()); }

}  // namespace imago::image::codec
