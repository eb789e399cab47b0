// SPDX-License-Identifier: Apache-2.0
// JPEG, by libjpeg-turbo.
#include <turbojpeg.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <type_traits>

#include "image/codecs.hpp"
#include "image/encode.hpp"

namespace imago::image {
namespace codec {
namespace {

struct HandleClose {
  void operator()(void* handle) const noexcept { tjDestroy(handle); }
};
using Handle = std::unique_ptr<std::remove_pointer_t<tjhandle>, HandleClose>;

/// What libjpeg-turbo's simple interface does not tell.
struct Markers {
  int orientation = 1;
  bool adobe = false;  // Adobe's programs store CMYK inverted, and leave this marker
};

constexpr unsigned kStartOfScan = 0xDA;
constexpr unsigned kApp1 = 0xE1;
constexpr unsigned kApp14 = 0xEE;

bool starts_with(Bytes bytes, std::string_view magic) { return as_text(bytes).starts_with(magic); }

/// Walks the segments before the first scan.
Markers read_markers(Bytes encoded) {
  Markers markers;
  std::size_t at = 2;
  while (at + 4 <= encoded.size()) {
    const auto byte = [&](std::size_t i) { return std::to_integer<unsigned>(encoded[i]); };
    if (byte(at) != 0xFF) break;
    const unsigned marker = byte(at + 1);
    if (marker == 0xFF) {  // a fill byte
      ++at;
      continue;
    }
    const std::size_t length = byte(at + 2) << 8 | byte(at + 3);
    if (marker == kStartOfScan || length < 2 || at + 2 + length > encoded.size()) break;
    const Bytes body = encoded.subspan(at + 4, length - 2);
    constexpr std::string_view kExif("Exif\0\0", 6);
    if (marker == kApp1 && starts_with(body, kExif)) markers.orientation = exif_orientation(body.subspan(kExif.size()));
    if (marker == kApp14 && starts_with(body, "Adobe")) markers.adobe = true;
    at += 2 + length;
  }
  return markers;
}

tl::unexpected<Error> fail_jpeg(tjhandle handle) {
  const std::string_view text = tjGetErrorStr2(handle);
  const bool unsupported = text.find("nsupported") != std::string_view::npos;
  return fail(unsupported ? ErrorCode::Unsupported : ErrorCode::Corrupt, "broken JPEG: {}", text);
}

struct StoredHeader {
  int width = 0;
  int height = 0;
  int colour_space = 0;
};

Result<StoredHeader> read_header(tjhandle handle, Bytes encoded) {
  StoredHeader header;
  int subsampling = 0;
  if (tjDecompressHeader3(handle, data_of(encoded), encoded.size(), &header.width, &header.height, &subsampling,
                          &header.colour_space) != 0)
    return fail_jpeg(handle);
  if (header.width < 1 || header.height < 1)
    return fail(ErrorCode::Corrupt, "broken JPEG: {} x {} pixels", header.width, header.height);
  return header;
}

/// The smallest of 1, 1/2, 1/4, 1/8 that leaves both sides at least `least_side`.
tjscalingfactor scale_for(const StoredHeader& header, int least_side) {
  tjscalingfactor scale{1, 1};
  if (least_side < 1) return scale;
  for (int denominator = 2; denominator <= 8; denominator *= 2) {
    const tjscalingfactor smaller{1, denominator};
    if (TJSCALED(std::min(header.width, header.height), smaller) >= least_side) scale = smaller;
  }
  return scale;
}

/// Warnings of files that are sloppy but whole; any other means that pixels are missing or wrong.
bool harmless(std::string_view warning) {
  return warning.find("extraneous bytes before marker") != std::string_view::npos ||
         warning.find("Invalid SOS parameters") != std::string_view::npos;
}

Result<void> decompress(tjhandle handle, Bytes encoded, std::uint8_t* out, int width, int height, int pixel_format) {
  // The first warning decides, and a broken file costs no more time than it takes to see that. Only a harmless one
  // makes a second pass necessary.
  for (const int flags : {TJFLAG_LIMITSCANS | TJFLAG_STOPONWARNING, TJFLAG_LIMITSCANS}) {
    if (tjDecompress2(handle, data_of(encoded), encoded.size(), out, width, 0, height, pixel_format, flags) == 0)
      return {};
    if (!harmless(tjGetErrorStr2(handle))) return fail_jpeg(handle);
  }
  return {};
}

void cmyk_to_rgb(const std::vector<std::uint8_t>& cmyk, bool inverted, std::vector<std::uint8_t>& rgb) {
  const unsigned flip = inverted ? 0 : 255;
  for (std::size_t i = 0, pixel = 0; i + 3 < cmyk.size(); i += 4, pixel += 3) {
    const unsigned light = cmyk[i + 3] ^ flip;
    for (std::size_t c = 0; c < 3; ++c)
      rgb[pixel + c] = static_cast<std::uint8_t>(((cmyk[i + c] ^ flip) * light + 127) / 255);
  }
}

}  // namespace

Result<Header> jpeg_header(Bytes encoded) {
  const Handle handle(tjInitDecompress());
  if (!handle) return fail(ErrorCode::ResourceExhausted, "no memory to decode a JPEG");
  TRY(const auto header, read_header(handle.get(), encoded));
  return Header{header.width, header.height, read_markers(encoded).orientation};
}

Result<Image> decode_jpeg(Bytes encoded, int least_side) {
  const Handle handle(tjInitDecompress());
  if (!handle) return fail(ErrorCode::ResourceExhausted, "no memory to decode a JPEG");
  TRY(const auto header, read_header(handle.get(), encoded));
  const tjscalingfactor scale = scale_for(header, least_side);
  Image image{TJSCALED(header.width, scale), TJSCALED(header.height, scale), {}};
  image.rgb.resize(image.pixels() * 3);
  if (header.colour_space == TJCS_CMYK || header.colour_space == TJCS_YCCK) {
    std::vector<std::uint8_t> cmyk(image.pixels() * 4);
    TRY_VOID(decompress(handle.get(), encoded, cmyk.data(), image.width, image.height, TJPF_CMYK));
    cmyk_to_rgb(cmyk, read_markers(encoded).adobe, image.rgb);
  } else {
    TRY_VOID(decompress(handle.get(), encoded, image.rgb.data(), image.width, image.height, TJPF_RGB));
  }
  return image;
}

}  // namespace codec

Result<std::string> encode_jpeg(const Image& image, int quality) {
  EXPECTS(image.rgb.size() == image.pixels() * 3, "an image's pixels match its size");
  if (quality < 1 || quality > 100)
    return fail(ErrorCode::InvalidArgument, "JPEG quality {}, but it goes from 1 to 100", quality);
  if (image.pixels() == 0) return fail(ErrorCode::InvalidArgument, "an image without pixels cannot be a JPEG");
  const codec::Handle handle(tjInitCompress());
  if (!handle) return fail(ErrorCode::ResourceExhausted, "no memory to encode a JPEG");
  unsigned char* encoded = nullptr;
  unsigned long size = 0;
  // Who asks for high quality wants the colours too: no subsampling.
  const int subsampling = quality >= 90 ? TJSAMP_444 : TJSAMP_420;
  const int status = tjCompress2(handle.get(), image.rgb.data(), image.width, 0, image.height, TJPF_RGB, &encoded,
                                 &size, subsampling, quality, TJFLAG_ACCURATEDCT);
  std::string bytes = status == 0 ? std::string(reinterpret_cast<const char*>(encoded), size) : std::string();
  tjFree(encoded);
  if (status != 0) return fail(ErrorCode::InvalidArgument, "encoding a JPEG: {}", tjGetErrorStr2(handle.get()));
  return bytes;
}

}  // namespace imago::image
