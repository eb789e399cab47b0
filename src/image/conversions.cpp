// SPDX-License-Identifier: Apache-2.0
#include "image/conversions.hpp"

#include "image/codecs.hpp"

namespace imago::image {
namespace {

/// Bytes by their place; whatever lies outside reads as 0.
class Reader {
 public:
  explicit Reader(Bytes bytes) : bytes_(bytes) {}
  [[nodiscard]] unsigned byte(std::size_t at) const {
    return at < bytes_.size() ? std::to_integer<unsigned>(bytes_[at]) : 0;
  }
  [[nodiscard]] std::size_t big16(std::size_t at) const { return byte(at) << 8 | byte(at + 1); }
  [[nodiscard]] std::size_t big32(std::size_t at) const { return big16(at) << 16 | big16(at + 2); }
  [[nodiscard]] std::string_view text(std::size_t at, std::size_t length) const {
    return at < bytes_.size() ? as_text(bytes_).substr(at, length) : std::string_view();
  }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }

 private:
  Bytes bytes_;
};

/// ITU T.81, B.2.2: the number of components in the frame header (SOF0 to SOF15, without DHT, JPG and DAC).
unsigned jpeg_components(const Reader& file) {
  for (std::size_t at = 2; at + 4 <= file.size() && file.byte(at) == 0xFF;) {
    const unsigned marker = file.byte(at + 1);
    const bool frame = marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
    if (frame) return file.byte(at + 9);
    at += marker == 0xFF ? 1 : 2 + file.big16(at + 2);
  }
  return 0;
}

/// A chunk before the pixels: acTL of an APNG, tRNS of a transparent colour.
bool has_png_chunk(const Reader& file, std::string_view name) {
  for (std::size_t at = 8; at + 8 <= file.size(); at += 12 + file.big32(at)) {
    if (file.text(at + 4, 4) == name) return true;
    if (file.text(at + 4, 4) == "IDAT") return false;
  }
  return false;
}

/// The flag of the extended header, or of a lossless image's own.
bool has_webp_alpha(const Reader& file) {
  if (file.text(12, 4) == "VP8X") return (file.byte(20) & 0x10U) != 0;
  return file.text(12, 4) == "VP8L" && (file.byte(24) & 0x10U) != 0;
}

/// GIF89a, section 18 and on: whether a second frame follows.
bool is_animated_gif(const Reader& file) {
  const auto palette = [](unsigned flags) { return (flags & 0x80U) != 0 ? std::size_t{3} << ((flags & 7U) + 1) : 0; };
  int frames = 0;
  for (std::size_t at = 13 + palette(file.byte(10)); at < file.size();) {
    const unsigned kind = file.byte(at);
    if (kind == 0x2C && ++frames == 2) return true;
    if (kind == 0x2C)
      at += 11 + palette(file.byte(at + 9));
    else if (kind == 0x21)
      at += 2;
    else if (kind == 0) {  // padding some writers leave
      ++at;
      continue;
    } else
      return false;
    while (file.byte(at) != 0) at += 1 + file.byte(at);
    ++at;
  }
  return false;
}

}  // namespace

Result<Conversions> conversions(Bytes encoded) {
  TRY(const auto probed, probe(encoded));
  const Reader file(encoded);
  Conversions found{.format = probed.format};
  switch (probed.format) {
    case Format::Jpeg: {
      TRY(const auto header, codec::jpeg_header(encoded));
      found.turned = header.orientation != 1;
      found.cmyk = jpeg_components(file) == 4;
      break;
    }
    case Format::Png: {
      TRY(const auto header, codec::png_header(encoded));
      found.turned = header.orientation != 1;
      found.deep = file.byte(24) == 16;
      found.first_frame = has_png_chunk(file, "acTL");
      found.alpha = (file.byte(25) & 4U) != 0 || has_png_chunk(file, "tRNS");
      break;
    }
    case Format::WebP: {
      TRY(const auto header, codec::webp_header(encoded));
      found.turned = header.orientation != 1;
      found.first_frame = file.text(12, 4) == "VP8X" && (file.byte(20) & 2U) != 0;
      found.alpha = has_webp_alpha(file);
      break;
    }
    case Format::Gif: found.first_frame = is_animated_gif(file); break;
    case Format::Bmp: break;
  }
  return found;
}

}  // namespace imago::image
