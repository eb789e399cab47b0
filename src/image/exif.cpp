// SPDX-License-Identifier: Apache-2.0
// The one EXIF tag that changes what people see, and what it asks for (EXIF 2.32, section 4.6.4, tag 0x0112).
#include <cstring>

#include "image/codecs.hpp"

namespace imago::image::codec {
namespace {

/// Reads numbers of the block's byte order; whatever lies outside reads as 0.
class TiffReader {
 public:
  explicit TiffReader(Bytes bytes) : bytes_(bytes) {
    little_ = byte(0) == 'I' && byte(1) == 'I';
    valid_ = (little_ || (byte(0) == 'M' && byte(1) == 'M')) && u16(2) == 42;
  }
  [[nodiscard]] bool valid() const { return valid_; }
  [[nodiscard]] std::uint32_t u16(std::uint64_t at) const {
    return little_ ? byte(at) | byte(at + 1) << 8 : byte(at) << 8 | byte(at + 1);
  }
  [[nodiscard]] std::uint32_t u32(std::uint64_t at) const {
    return little_ ? u16(at) | u16(at + 2) << 16 : u16(at) << 16 | u16(at + 2);
  }

 private:
  [[nodiscard]] std::uint32_t byte(std::uint64_t at) const {
    return at < bytes_.size() ? std::to_integer<std::uint32_t>(bytes_[static_cast<std::size_t>(at)]) : 0;
  }
  Bytes bytes_;
  bool little_ = false;
  bool valid_ = false;
};

constexpr std::uint32_t kOrientationTag = 0x0112;
constexpr std::uint32_t kShort = 3;

}  // namespace

int exif_orientation(Bytes tiff) {
  const TiffReader reader(tiff);
  if (!reader.valid()) return 1;
  const std::uint64_t directory = reader.u32(4);
  const std::uint32_t entries = reader.u16(directory);
  for (std::uint32_t i = 0; i < entries; ++i) {
    const std::uint64_t entry = directory + 2 + std::uint64_t{12} * i;
    if (entry + 12 > tiff.size()) return 1;
    if (reader.u16(entry) != kOrientationTag) continue;
    const std::uint32_t value = reader.u16(entry + 8);
    return reader.u16(entry + 2) == kShort && value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

Image upright(Image image, int orientation) {
  if (orientation <= 1 || orientation > 8) return image;
  const bool swap = orientation >= 5;
  const int width = swap ? image.height : image.width;
  const int height = swap ? image.width : image.height;
  Image out{width, height, std::vector<std::uint8_t>(image.rgb.size())};
  // Where pixel (x, y) of the result comes from: start + x * step_x + y * step_y in the stored pixels.
  const std::ptrdiff_t w = image.width;
  const std::ptrdiff_t h = image.height;
  const bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool from_bottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const std::ptrdiff_t along_row = from_right ? -1 : 1;
  const std::ptrdiff_t along_column = from_bottom ? -w : w;
  const std::ptrdiff_t start = (from_right ? w - 1 : 0) + (from_bottom ? (h - 1) * w : 0);
  const std::ptrdiff_t step_x = swap ? along_column : along_row;
  const std::ptrdiff_t step_y = swap ? along_row : along_column;
  std::uint8_t* target = out.rgb.data();
  for (int y = 0; y < height; ++y) {
    const std::uint8_t* source = image.rgb.data() + (start + y * step_y) * 3;
    for (int x = 0; x < width; ++x, target += 3) std::memcpy(target, source + x * step_x * 3, 3);
  }
  return out;
}

}  // namespace imago::image::codec
