// SPDX-License-Identifier: Apache-2.0
// WebP, by libwebp; of an animation the first frame.
#include <webp/decode.h>
#include <webp/demux.h>

#include <cstring>
#include <memory>

#include "image/codecs.hpp"

namespace imago::image::codec {
namespace {

struct DemuxDelete {
  void operator()(WebPDemuxer* demuxer) const noexcept { WebPDemuxDelete(demuxer); }
};
using Demuxer = std::unique_ptr<WebPDemuxer, DemuxDelete>;

/// Keeps to the container's structure; refuses a file that ends too early.
Result<Demuxer> open_webp(Bytes encoded) {
  const WebPData data{data_of(encoded), encoded.size()};
  Demuxer demuxer(WebPDemux(&data));
  if (!demuxer) return fail(ErrorCode::Corrupt, "broken WebP: its parts do not add up, or it ends too early");
  return demuxer;
}

int orientation_of(const WebPDemuxer* demuxer) {
  int orientation = 1;
  WebPChunkIterator chunk{};
  if (WebPDemuxGetChunk(demuxer, "EXIF", 1, &chunk) != 0) {
    Bytes body = as_bytes({reinterpret_cast<const char*>(chunk.chunk.bytes), chunk.chunk.size});
    constexpr std::string_view kExif("Exif\0\0", 6);  // some writers repeat JPEG's prefix
    if (as_text(body).starts_with(kExif)) body = body.subspan(kExif.size());
    orientation = exif_orientation(body);
  }
  WebPDemuxReleaseChunkIterator(&chunk);
  return orientation;
}

/// Lays a frame of RGBA pixels over the white canvas.
void lay_over(const std::vector<std::uint8_t>& rgba, int width, int height, int left, int top, Image& canvas) {
  const std::uint8_t* source = rgba.data();
  for (int y = 0; y < height; ++y) {
    std::uint8_t* target =
        canvas.rgb.data() +
        (static_cast<std::size_t>(top + y) * static_cast<std::size_t>(canvas.width) + static_cast<std::size_t>(left)) *
            3;
    for (int x = 0; x < width; ++x, source += 4, target += 3)
      for (int c = 0; c < 3; ++c) target[c] = over_white(source[c], source[3]);
  }
}

Result<Image> decode_frame(const WebPIterator& frame, int canvas_width, int canvas_height) {
  if (frame.x_offset < 0 || frame.y_offset < 0 || frame.width > canvas_width - frame.x_offset ||
      frame.height > canvas_height - frame.y_offset)
    return fail(ErrorCode::Corrupt, "broken WebP: a frame sticks out of its {} x {} canvas", canvas_width,
                canvas_height);
  Image image = blank(canvas_width, canvas_height);
  std::vector<std::uint8_t> rgba(static_cast<std::size_t>(frame.width) * static_cast<std::size_t>(frame.height) * 4);
  if (WebPDecodeRGBAInto(frame.fragment.bytes, frame.fragment.size, rgba.data(), rgba.size(), frame.width * 4) ==
      nullptr)
    return fail(ErrorCode::Corrupt, "broken WebP: its pixels cannot be decoded");
  lay_over(rgba, frame.width, frame.height, frame.x_offset, frame.y_offset, image);
  return image;
}

}  // namespace

Result<Header> webp_header(Bytes encoded) {
  TRY(const auto demuxer, open_webp(encoded));
  const auto width = WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_WIDTH);
  const auto height = WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_HEIGHT);
  if (width < 1 || height < 1 || width > (1U << 24) || height > (1U << 24))
    return fail(ErrorCode::Corrupt, "broken WebP: {} x {} pixels", width, height);
  return Header{static_cast<int>(width), static_cast<int>(height), orientation_of(demuxer.get())};
}

Result<Image> decode_webp(Bytes encoded) {
  TRY(const auto demuxer, open_webp(encoded));
  WebPIterator frame{};
  const bool found = WebPDemuxGetFrame(demuxer.get(), 1, &frame) != 0;
  auto image = found ? decode_frame(frame, static_cast<int>(WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_WIDTH)),
                                    static_cast<int>(WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_HEIGHT)))
                     : Result<Image>(fail(ErrorCode::Corrupt, "broken WebP: no frame in it"));
  WebPDemuxReleaseIterator(&frame);
  return image;
}

}  // namespace imago::image::codec
