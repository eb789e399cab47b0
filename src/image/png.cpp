// SPDX-License-Identifier: Apache-2.0
// PNG, by libspng.
#include <spng.h>

#include <cstdlib>
#include <memory>

#include "image/codecs.hpp"
#include "image/encode.hpp"

namespace imago::image {
namespace codec {
namespace {

struct ContextFree {
  void operator()(spng_ctx* context) const noexcept { spng_ctx_free(context); }
};
using Context = std::unique_ptr<spng_ctx, ContextFree>;

/// Colour profiles and comments are compressed too; they may not unpack to more than this.
constexpr std::size_t kMaxChunkBytes = 8U << 20;
constexpr std::size_t kMaxAllChunksBytes = 16U << 20;

tl::unexpected<Error> fail_png(int status) {
  return fail(status == SPNG_EMEM ? ErrorCode::ResourceExhausted : ErrorCode::Corrupt, "broken PNG: {}",
              spng_strerror(status));
}

Result<Context> open_png(Bytes encoded) {
  Context context(spng_ctx_new(0));
  if (!context) return fail(ErrorCode::ResourceExhausted, "no memory to decode a PNG");
  if (const int status = spng_set_chunk_limits(context.get(), kMaxChunkBytes, kMaxAllChunksBytes))
    return fail_png(status);
  if (const int status = spng_set_png_buffer(context.get(), encoded.data(), encoded.size())) return fail_png(status);
  return context;
}

int orientation_of(spng_ctx* context) {
  spng_exif exif{};
  if (spng_get_exif(context, &exif) != 0) return 1;
  return exif_orientation(as_bytes({exif.data, exif.length}));
}

Result<spng_ihdr> read_header(spng_ctx* context) {
  spng_ihdr header{};
  if (const int status = spng_get_ihdr(context, &header)) return fail_png(status);
  return header;
}

bool has_alpha(spng_ctx* context, const spng_ihdr& header) {
  spng_trns transparency{};
  return header.color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA || header.color_type == SPNG_COLOR_TYPE_TRUECOLOR_ALPHA ||
         spng_get_trns(context, &transparency) == 0;
}

/// libspng does not look at the last four bytes, the end chunk's checksum; a file without them was cut.
bool has_end(Bytes encoded) {
  std::size_t at = 8;
  while (at + 12 <= encoded.size()) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) length = length << 8 | std::to_integer<std::size_t>(encoded[at + i]);
    if (as_text(encoded.subspan(at + 4, 4)) == "IEND") return true;
    at += 12 + length;
  }
  return false;
}

Result<void> decode_into(spng_ctx* context, std::vector<std::uint8_t>& pixels, int format) {
  if (const int status = spng_decode_image(context, pixels.data(), pixels.size(), format, SPNG_DECODE_TRNS))
    return fail_png(status);
  if (const int status = spng_decode_chunks(context)) return fail_png(status);  // to the end: a cut file has none
  return {};
}

}  // namespace

Result<Header> png_header(Bytes encoded) {
  TRY(const auto context, open_png(encoded));
  TRY(const auto header, read_header(context.get()));
  return Header{static_cast<int>(header.width), static_cast<int>(header.height), orientation_of(context.get())};
}

Result<Image> decode_png(Bytes encoded) {
  if (!has_end(encoded)) return fail(ErrorCode::Corrupt, "broken PNG: it ends too early");
  TRY(const auto context, open_png(encoded));
  TRY(const auto header, read_header(context.get()));
  Image image{static_cast<int>(header.width), static_cast<int>(header.height), {}};
  image.rgb.resize(image.pixels() * 3);
  if (!has_alpha(context.get(), header)) {
    TRY_VOID(decode_into(context.get(), image.rgb, SPNG_FMT_RGB8));
    return image;
  }
  std::vector<std::uint8_t> rgba(image.pixels() * 4);
  TRY_VOID(decode_into(context.get(), rgba, SPNG_FMT_RGBA8));
  for (std::size_t i = 0; i < image.pixels(); ++i)
    for (std::size_t c = 0; c < 3; ++c) image.rgb[i * 3 + c] = over_white(rgba[i * 4 + c], rgba[i * 4 + 3]);
  return image;
}

}  // namespace codec

Result<std::string> encode_png(const Image& image) {
  EXPECTS(image.rgb.size() == image.pixels() * 3, "an image's pixels match its size");
  const codec::Context context(spng_ctx_new(SPNG_CTX_ENCODER));
  if (!context) return fail(ErrorCode::ResourceExhausted, "no memory to encode a PNG");
  spng_ihdr header{};
  header.width = static_cast<std::uint32_t>(image.width);
  header.height = static_cast<std::uint32_t>(image.height);
  header.bit_depth = 8;
  header.color_type = SPNG_COLOR_TYPE_TRUECOLOR;
  int status = spng_set_option(context.get(), SPNG_ENCODE_TO_BUFFER, 1);
  if (status == 0) status = spng_set_ihdr(context.get(), &header);
  if (status == 0)
    status = spng_encode_image(context.get(), image.rgb.data(), image.rgb.size(), SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE);
  if (status != 0)
    return fail(ErrorCode::InvalidArgument, "encoding a PNG of {} x {}: {}", image.width, image.height,
                spng_strerror(status));
  std::size_t size = 0;
  const std::unique_ptr<void, decltype(&std::free)> encoded(spng_get_png_buffer(context.get(), &size, &status),
                                                            &std::free);
  if (!encoded) return fail(ErrorCode::ResourceExhausted, "encoding a PNG: {}", spng_strerror(status));
  return std::string(static_cast<const char*>(encoded.get()), size);
}

}  // namespace imago::image
