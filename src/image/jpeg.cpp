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

/// What stands before a file's first scan.
struct Frame {
  int width = 0;
  int height = 0;
  bool cmyk = false;
  int orientation = 1;
  bool adobe = false;  // Adobe's programs store CMYK inverted, and leave this marker
  bool whole = false;  // a frame of a usual kind was seen, and the scan reached
};

constexpr unsigned kStartOfScan = 0xDA;
constexpr unsigned kApp1 = 0xE1;
constexpr unsigned kApp14 = 0xEE;

bool starts_with(Bytes bytes, std::string_view magic) { return as_text(bytes).starts_with(magic); }

/// SOF0 to SOF15, without DHT, JPG and DAC (ITU T.81, table B.1).
bool is_frame(unsigned marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

/// TEM, RST0 to RST7, SOI and EOI have no length.
bool is_bare(unsigned marker) { return marker <= 0x01 || (marker >= 0xD0 && marker <= 0xD9); }

/// Walks the segments before the first scan.
Frame walk_segments(Bytes encoded) {
  Frame frame;
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
    if (is_bare(marker) || length < 2 || at + 2 + length > encoded.size()) break;
    frame.whole = marker == kStartOfScan && frame.width > 0 && frame.height > 0;
    if (marker == kStartOfScan) break;
    const Bytes body = encoded.subspan(at + 4, length - 2);
    constexpr std::string_view kExif("Exif\0\0", 6);
    if (marker == kApp1 && starts_with(body, kExif)) frame.orientation = exif_orientation(body.subspan(kExif.size()));
    if (marker == kApp14 && starts_with(body, "Adobe")) frame.adobe = true;
    if (is_frame(marker)) {
      const unsigned components = body.size() < 6 ? 0 : byte(at + 9);
      if (frame.width > 0 || (components != 1 && components != 3 && components != 4) || byte(at + 4) != 8) break;
      frame.height = static_cast<int>(byte(at + 5) << 8 | byte(at + 6));
      frame.width = static_cast<int>(byte(at + 7) << 8 | byte(at + 8));
      frame.cmyk = components == 4;
    }
    at += 2 + length;
  }
  return frame;
}

tl::unexpected<Error> fail_jpeg(tjhandle handle) {
  const std::string_view text = tjGetErrorStr2(handle);
  const bool unsupported = text.find("nsupported") != std::string_view::npos;
  return fail(unsupported ? ErrorCode::Unsupported : ErrorCode::Corrupt, "broken JPEG: {}", text);
}

/// The library is asked only about what is unusual, to say what is wrong with it: it builds every table on the way,
/// which for a small image takes as long as half of decoding it.
Result<Frame> read_frame(Bytes encoded) {
  Frame frame = walk_segments(encoded);
  if (frame.whole) return frame;
  const Handle handle(tjInitDecompress());
  if (!handle) return fail(ErrorCode::ResourceExhausted, "no memory to decode a JPEG");
  int subsampling = 0;
  int colour_space = 0;
  if (tjDecompressHeader3(handle.get(), data_of(encoded), encoded.size(), &frame.width, &frame.height, &subsampling,
                          &colour_space) != 0)
    return fail_jpeg(handle.get());
  if (frame.width < 1 || frame.height < 1)
    return fail(ErrorCode::Corrupt, "broken JPEG: {} x {} pixels", frame.width, frame.height);
  frame.cmyk = colour_space == TJCS_CMYK || colour_space == TJCS_YCCK;
  return frame;
}

/// The smallest of 1, 1/2, 1/4, 1/8 that leaves both sides at least `least_side`.
tjscalingfactor scale_for(const Frame& frame, int least_side) {
  tjscalingfactor scale{1, 1};
  if (least_side < 1) return scale;
  for (int denominator = 2; denominator <= 8; denominator *= 2) {
    const tjscalingfactor smaller{1, denominator};
    if (TJSCALED(std::min(frame.width, frame.height), smaller) >= least_side) scale = smaller;
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
  TRY(const Frame frame, read_frame(encoded));
  return Header{frame.width, frame.height, frame.orientation};
}

Result<Image> decode_jpeg(Bytes encoded, int least_side) {
  TRY(const Frame frame, read_frame(encoded));
  const Handle handle(tjInitDecompress());
  if (!handle) return fail(ErrorCode::ResourceExhausted, "no memory to decode a JPEG");
  const tjscalingfactor scale = scale_for(frame, least_side);
  Image image{TJSCALED(frame.width, scale), TJSCALED(frame.height, scale), {}};
  image.rgb.resize(image.pixels() * 3);
  if (frame.cmyk) {
    std::vector<std::uint8_t> cmyk(image.pixels() * 4);
    TRY_VOID(decompress(handle.get(), encoded, cmyk.data(), image.width, image.height, TJPF_CMYK));
    cmyk_to_rgb(cmyk, frame.adobe, image.rgb);
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
