// SPDX-License-Identifier: Apache-2.0
// Windows bitmaps, uncompressed, of 1, 4, 8, 24 and 32 bits a pixel. Our own reader: no small library has one.
// Format: Microsoft, "Bitmap Storage", BITMAPFILEHEADER and BITMAPINFOHEADER.
#include <array>
#include <limits>

#include "image/codecs.hpp"

namespace imago::image::codec {
namespace {

struct Layout {
  int width = 0;
  int height = 0;
  bool top_down = false;
  unsigned bits = 0;        // a pixel
  std::size_t pixels = 0;   // where they begin
  std::size_t stride = 0;   // bytes a row, a multiple of 4
  std::size_t palette = 0;  // where it begins
  std::size_t colours = 0;  // in it
  std::size_t colour_bytes = 4;
};

class Reader {
 public:
  explicit Reader(Bytes bytes) : bytes_(bytes) {}
  [[nodiscard]] std::uint32_t u16(std::size_t at) const { return byte(at) | byte(at + 1) << 8; }
  [[nodiscard]] std::uint32_t u32(std::size_t at) const { return u16(at) | u16(at + 2) << 16; }
  [[nodiscard]] std::uint32_t byte(std::size_t at) const {
    return at < bytes_.size() ? std::to_integer<std::uint32_t>(bytes_[at]) : 0;
  }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }

 private:
  Bytes bytes_;
};

constexpr std::size_t kFileHeader = 14;
constexpr std::uint32_t kCoreHeader = 12;  // OS/2's, with 16-bit sides and 3-byte colours
constexpr std::uint32_t kInfoHeader = 40;
constexpr std::uint32_t kUncompressed = 0;
constexpr std::uint32_t kBitFields = 3;

Result<void> read_sides(const Reader& file, bool core, Layout& layout) {
  const auto width = core ? static_cast<std::int64_t>(file.u16(18)) : static_cast<std::int32_t>(file.u32(18));
  const auto height = core ? static_cast<std::int64_t>(file.u16(20)) : static_cast<std::int32_t>(file.u32(22));
  if (width < 1 || height == 0 || height == std::numeric_limits<std::int32_t>::min())
    return fail(ErrorCode::Corrupt, "broken BMP: {} x {} pixels", width, height);
  layout.width = static_cast<int>(width);
  layout.height = static_cast<int>(height < 0 ? -height : height);
  layout.top_down = height < 0;
  return {};
}

/// Bit fields are read when they say what 32 bits mean anyway: B, G, R and a byte to spare.
Result<void> check_compression(const Reader& file, std::uint32_t bits) {
  const std::uint32_t compression = file.u32(30);
  const bool usual_fields = compression == kBitFields && bits == 32 && file.u32(54) == 0x00FF0000 &&
                            file.u32(58) == 0x0000FF00 && file.u32(62) == 0x000000FF;
  if (compression == kUncompressed || usual_fields) return {};
  return fail(ErrorCode::Unsupported, "BMP with compression {} at {} bits: save it as PNG", compression, bits);
}

Result<Layout> read_layout(Bytes encoded) {
  const Reader file(encoded);
  const std::uint32_t header = file.u32(kFileHeader);
  const bool core = header == kCoreHeader;
  if (encoded.size() < kFileHeader + kCoreHeader || (!core && header < kInfoHeader) ||
      header > encoded.size() - kFileHeader)
    return fail(ErrorCode::Corrupt, "broken BMP: it ends within its header");
  Layout layout;
  TRY_VOID(read_sides(file, core, layout));
  layout.bits = core ? file.u16(24) : file.u16(28);
  const auto bits = layout.bits;
  if (bits != 1 && bits != 4 && bits != 8 && bits != 24 && bits != 32)
    return fail(ErrorCode::Unsupported, "BMP with {} bits a pixel, but we read 1, 4, 8, 24 and 32: save it as PNG",
                bits);
  if (!core) TRY_VOID(check_compression(file, bits));
  layout.pixels = file.u32(10);
  layout.stride = (static_cast<std::size_t>(layout.width) * bits + 31) / 32 * 4;
  layout.palette = kFileHeader + header;
  layout.colour_bytes = core ? 3 : 4;
  if (bits <= 8) {
    const std::size_t declared = core ? 0 : file.u32(46);
    layout.colours = declared == 0 ? std::size_t{1} << bits : declared;
    if (layout.colours > 256 || layout.palette + layout.colours * layout.colour_bytes > encoded.size())
      return fail(ErrorCode::Corrupt, "broken BMP: a palette of {} colours does not fit", layout.colours);
  }
  return layout;
}

Result<void> decode_row(Bytes row, const Layout& layout, Bytes palette, std::uint8_t* out) {
  const std::uint8_t* source = data_of(row);
  const std::size_t width = static_cast<std::size_t>(layout.width);
  for (std::size_t x = 0; x < width; ++x, out += 3) {
    const std::uint8_t* blue_green_red = nullptr;
    if (layout.bits >= 24) {
      blue_green_red = source + x * (layout.bits / 8);
    } else {
      const std::size_t bit = x * layout.bits;
      const std::size_t index = (source[bit / 8] >> (8 - layout.bits - bit % 8)) & ((1U << layout.bits) - 1);
      if (index >= layout.colours)
        return fail(ErrorCode::Corrupt, "broken BMP: colour {}, but its palette has {}", index, layout.colours);
      blue_green_red = data_of(palette) + index * layout.colour_bytes;
    }
    out[0] = blue_green_red[2];
    out[1] = blue_green_red[1];
    out[2] = blue_green_red[0];
  }
  return {};
}

}  // namespace

Result<Header> bmp_header(Bytes encoded) {
  TRY(const auto layout, read_layout(encoded));
  return Header{layout.width, layout.height, 1};
}

Result<Image> decode_bmp(Bytes encoded) {
  TRY(const auto layout, read_layout(encoded));
  const auto height = static_cast<std::size_t>(layout.height);
  if (layout.pixels > encoded.size() || encoded.size() - layout.pixels < layout.stride * height)
    return fail(ErrorCode::Corrupt, "broken BMP: {} bytes, but its {} x {} pixels need {}", encoded.size(),
                layout.width, layout.height, layout.pixels + layout.stride * height);
  Image image{layout.width, layout.height, {}};
  image.rgb.resize(image.pixels() * 3);
  const Bytes palette = encoded.subspan(layout.bits <= 8 ? layout.palette : 0, layout.colours * layout.colour_bytes);
  for (std::size_t y = 0; y < height; ++y) {
    const std::size_t stored = layout.top_down ? y : height - 1 - y;
    const Bytes row = encoded.subspan(layout.pixels + stored * layout.stride, layout.stride);
    TRY_VOID(decode_row(row, layout, palette, image.rgb.data() + y * static_cast<std::size_t>(layout.width) * 3));
  }
  return image;
}

}  // namespace imago::image::codec
