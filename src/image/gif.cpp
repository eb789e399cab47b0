// SPDX-License-Identifier: Apache-2.0
// GIF, by giflib: the first frame, over white.
#include <gif_lib.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "image/codecs.hpp"

namespace imago::image::codec {
namespace {

/// What is left of the file; giflib takes exactly the bytes it needs.
struct Cursor {
  Bytes rest;
};

int read_some(GifFileType* file, GifByteType* out, int wanted) {
  auto& cursor = *static_cast<Cursor*>(file->UserData);
  const std::size_t taken = std::min(cursor.rest.size(), static_cast<std::size_t>(std::max(wanted, 0)));
  if (taken > 0) std::memcpy(out, cursor.rest.data(), taken);
  cursor.rest = cursor.rest.subspan(taken);
  return static_cast<int>(taken);
}

struct GifClose {
  void operator()(GifFileType* file) const noexcept { DGifCloseFile(file, nullptr); }
};
using Gif = std::unique_ptr<GifFileType, GifClose>;

tl::unexpected<Error> fail_gif(int code) {
  const char* text = GifErrorString(code);
  return fail(ErrorCode::Corrupt, "broken GIF: {}", text != nullptr ? text : "it ends too early");
}

Result<Gif> open(Cursor& cursor) {
  int code = 0;
  Gif gif(DGifOpen(&cursor, &read_some, &code));
  if (!gif) return fail_gif(code);
  if (gif->SWidth < 1 || gif->SHeight < 1)
    return fail(ErrorCode::Corrupt, "broken GIF: {} x {} pixels", gif->SWidth, gif->SHeight);
  return gif;
}

/// Reads up to the first frame; returns its transparent colour, or NO_TRANSPARENT_COLOR.
Result<int> seek_first_frame(GifFileType* gif) {
  int transparent = NO_TRANSPARENT_COLOR;
  for (;;) {
    GifRecordType record{};
    if (DGifGetRecordType(gif, &record) != GIF_OK) return fail_gif(gif->Error);
    if (record == TERMINATE_RECORD_TYPE) return fail(ErrorCode::Corrupt, "broken GIF: no frame in it");
    if (record == IMAGE_DESC_RECORD_TYPE) return transparent;
    if (record != EXTENSION_RECORD_TYPE) continue;
    int function = 0;
    GifByteType* block = nullptr;
    if (DGifGetExtension(gif, &function, &block) != GIF_OK) return fail_gif(gif->Error);
    while (block != nullptr) {
      GraphicsControlBlock control{};
      if (function == GRAPHICS_EXT_FUNC_CODE && DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK)
        transparent = control.TransparentColor;
      if (DGifGetExtensionNext(gif, &block) != GIF_OK) return fail_gif(gif->Error);
    }
  }
}

Result<void> paint_row(GifFileType* gif, const ColorMapObject& colours, int transparent, int y,
                       std::vector<GifPixelType>& line, Image& canvas) {
  if (DGifGetLine(gif, line.data(), static_cast<int>(line.size())) != GIF_OK) return fail_gif(gif->Error);
  const auto row = static_cast<std::size_t>(gif->Image.Top + y) * static_cast<std::size_t>(canvas.width);
  std::uint8_t* target = canvas.rgb.data() + (row + static_cast<std::size_t>(gif->Image.Left)) * 3;
  for (const GifPixelType index : line) {
    if (index != transparent) {
      if (index >= colours.ColorCount)
        return fail(ErrorCode::Corrupt, "broken GIF: colour {}, but its palette has {}", index, colours.ColorCount);
      const GifColorType& colour = colours.Colors[index];
      target[0] = colour.Red;
      target[1] = colour.Green;
      target[2] = colour.Blue;
    }
    target += 3;
  }
  return {};
}

Result<void> paint_frame(GifFileType* gif, int transparent, Image& canvas) {
  if (DGifGetImageDesc(gif) != GIF_OK) return fail_gif(gif->Error);
  const GifImageDesc& frame = gif->Image;
  if (frame.Width < 1 || frame.Height < 1 || frame.Left < 0 || frame.Top < 0 ||
      frame.Width > canvas.width - frame.Left || frame.Height > canvas.height - frame.Top)
    return fail(ErrorCode::Corrupt, "broken GIF: a frame of {} x {} at ({}, {}) on a screen of {} x {}", frame.Width,
                frame.Height, frame.Left, frame.Top, canvas.width, canvas.height);
  const ColorMapObject* colours = frame.ColorMap != nullptr ? frame.ColorMap : gif->SColorMap;
  if (colours == nullptr) return fail(ErrorCode::Corrupt, "broken GIF: no palette");
  std::vector<GifPixelType> line(static_cast<std::size_t>(frame.Width));
  struct Pass {
    int first, step;
  };
  constexpr Pass kInterlaced[] = {{0, 8}, {4, 8}, {2, 4}, {1, 2}};
  constexpr Pass kPlain[] = {{0, 1}};
  const auto passes = frame.Interlace ? std::span<const Pass>(kInterlaced) : std::span<const Pass>(kPlain);
  for (const Pass& pass : passes)
    for (int y = pass.first; y < frame.Height; y += pass.step)
      TRY_VOID(paint_row(gif, *colours, transparent, y, line, canvas));
  return {};
}

/// True when the blocks after the first frame lead to the trailer: the file is whole.
bool reaches_trailer(Bytes rest) {
  std::size_t at = 0;
  const auto byte = [&] { return at < rest.size() ? std::to_integer<unsigned>(rest[at++]) : 0U; };
  const auto skip_blocks = [&] {
    for (unsigned size = byte(); size != 0; size = byte()) at += size;
  };
  while (at < rest.size()) {
    switch (byte()) {
      case 0x3B: return true;
      case 0x21:
        at += 1;
        skip_blocks();
        break;
      case 0x2C: {
        at += 8;
        const unsigned flags = byte();
        if ((flags & 0x80U) != 0) at += std::size_t{3} << ((flags & 7U) + 1);
        at += 1;
        skip_blocks();
        break;
      }
      case 0: break;  // padding some writers leave
      default: return false;
    }
  }
  return false;
}

}  // namespace

Result<Header> gif_header(Bytes encoded) {
  Cursor cursor{encoded};
  TRY(const auto gif, open(cursor));
  return Header{gif->SWidth, gif->SHeight, 1};
}

Result<Image> decode_gif(Bytes encoded) {
  Cursor cursor{encoded};
  TRY(const auto gif, open(cursor));
  TRY(const int transparent, seek_first_frame(gif.get()));
  Image canvas = blank(gif->SWidth, gif->SHeight);
  TRY_VOID(paint_frame(gif.get(), transparent, canvas));
  if (!reaches_trailer(cursor.rest)) return fail(ErrorCode::Corrupt, "broken GIF: it ends too early");
  return canvas;
}

}  // namespace imago::image::codec
