// SPDX-License-Identifier: Apache-2.0
#include "image/decode.hpp"

#include <algorithm>
#include <optional>

#include "image/codecs.hpp"
#include "image/guard.hpp"

namespace imago::image {
namespace codec {

Image blank(int width, int height) {
  Image image{width, height, {}};
  image.rgb.assign(image.pixels() * 3, 255);
  return image;
}

}  // namespace codec

namespace {

std::optional<Format> sniff(std::string_view text) {
  constexpr std::string_view kPng("\x89PNG\r\n\x1a\n", 8);
  if (text.starts_with("\xFF\xD8\xFF")) return Format::Jpeg;
  if (text.starts_with(kPng)) return Format::Png;
  if (text.starts_with("RIFF") && text.substr(0, 12).ends_with("WEBP")) return Format::WebP;
  if (text.starts_with("GIF87a") || text.starts_with("GIF89a")) return Format::Gif;
  // Two letters are little to go by: "BM" must be followed by the size of a header that exists.
  if (text.size() >= 18 && text.starts_with("BM") && text[15] == 0 && text[16] == 0 && text[17] == 0) {
    const auto header = static_cast<unsigned char>(text[14]);
    if (header == 12 || (header >= 40 && header <= 124)) return Format::Bmp;
  }
  return std::nullopt;
}

/// The first bytes for a message: 'Hello wo', '\x7fELF'.
std::string opening(std::string_view text) {
  std::string shown;
  for (const char c : text.substr(0, 8)) {
    const auto byte = static_cast<unsigned char>(c);
    shown += byte >= 0x20 && byte < 0x7F ? std::string(1, c) : fmt::format("\\x{:02x}", byte);
  }
  return fmt::format("'{}'{}", shown, text.size() > 8 ? "..." : "");
}

Result<Format> recognise(Bytes encoded, const DecodeLimits& limits) {
  if (encoded.empty()) return fail(ErrorCode::Unsupported, "not an image we read: it is empty");
  if (encoded.size() > limits.max_bytes)
    return fail(ErrorCode::ResourceExhausted, "{} bytes, at most {}", encoded.size(), limits.max_bytes);
  if (const auto format = sniff(as_text(encoded))) return *format;
  return fail(ErrorCode::Unsupported, "not an image we read: starts with {}; we read JPEG, PNG, WebP, GIF and BMP",
              opening(as_text(encoded)));
}

Result<codec::Header> read_header(Format format, Bytes encoded) {
  switch (format) {
    case Format::Jpeg: return codec::jpeg_header(encoded);
    case Format::Png: return codec::png_header(encoded);
    case Format::WebP: return codec::webp_header(encoded);
    case Format::Gif: return codec::gif_header(encoded);
    case Format::Bmp: return codec::bmp_header(encoded);
  }
  return fail(ErrorCode::Internal, "image format {} has no reader", static_cast<int>(format));
}

Result<Image> read_pixels(Format format, Bytes encoded, int least_side) {
  switch (format) {
    case Format::Jpeg: return codec::decode_jpeg(encoded, least_side);
    case Format::Png: return codec::decode_png(encoded);
    case Format::WebP: return codec::decode_webp(encoded);
    case Format::Gif: return codec::decode_gif(encoded);
    case Format::Bmp: return codec::decode_bmp(encoded);
  }
  return fail(ErrorCode::Internal, "image format {} has no reader", static_cast<int>(format));
}

struct Checked {
  Format format;
  codec::Header header;
};

/// Nothing is allocated by the header's word until this has passed.
Result<Checked> check(Bytes encoded, const DecodeLimits& limits) {
  TRY(const auto format, recognise(encoded, limits));
  TRY(const auto header, read_header(format, encoded));
  const auto pixels = static_cast<std::uint64_t>(header.width) * static_cast<std::uint64_t>(header.height);
  if (pixels > limits.max_pixels)
    return fail(ErrorCode::ResourceExhausted, "{} x {} = {} pixels, at most {}", header.width, header.height, pixels,
                limits.max_pixels);
  if (std::max(header.width, header.height) > limits.max_side)
    return fail(ErrorCode::ResourceExhausted, "{} x {} pixels, at most {} a side", header.width, header.height,
                limits.max_side);
  return Checked{format, header};
}

}  // namespace

std::string_view to_string(Format format) noexcept {
  switch (format) {
    case Format::Jpeg: return "jpeg";
    case Format::Png: return "png";
    case Format::WebP: return "webp";
    case Format::Bmp: return "bmp";
    case Format::Gif: return "gif";
  }
  return "unknown";
}

std::string_view media_type(Format format) noexcept {
  switch (format) {
    case Format::Jpeg: return "image/jpeg";
    case Format::Png: return "image/png";
    case Format::WebP: return "image/webp";
    case Format::Bmp: return "image/bmp";
    case Format::Gif: return "image/gif";
  }
  return "application/octet-stream";
}

Result<Probe> probe(Bytes encoded, const DecodeLimits& limits) {
  return guard([&]() -> Result<Probe> {
    TRY(const auto checked, check(encoded, limits));
    const auto& header = checked.header;
    const bool swap = header.orientation >= 5;
    return Probe{checked.format, swap ? header.height : header.width, swap ? header.width : header.height};
  });
}

Result<Image> decode(Bytes encoded, const DecodeLimits& limits, int least_side) {
  return guard([&]() -> Result<Image> {
    TRY(const auto checked, check(encoded, limits));
    TRY(auto image, read_pixels(checked.format, encoded, least_side));
    return codec::upright(std::move(image), checked.header.orientation);
  });
}

}  // namespace imago::image
