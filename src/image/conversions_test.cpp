// SPDX-License-Identifier: Apache-2.0
#include "image/conversions.hpp"

#include <gtest/gtest.h>

#include "base/files.hpp"
#include "image/test_images.hpp"

namespace imago::image {
namespace {

using namespace testing;

Conversions of(std::string_view base64) { return conversions(as_bytes(decode_base64(base64))).value(); }

TEST(Conversions, FindsNothingWherePixelsAreAsTheyLie) {
  for (const auto text : {kPngRgb, kPngPalette, kPngAlpha, kJpegRgb, kJpegProgressive, kJpegGray, kGif, kGifInterlaced,
                          kWebpLossy, kWebpLossless, kBmp24}) {
    const auto found = of(text);
    EXPECT_FALSE(found.turned || found.cmyk || found.deep || found.first_frame) << text.substr(0, 60);
  }
}

TEST(Conversions, NamesTheFormatByItsMagicBytes) {
  EXPECT_EQ(of(kPngRgb).format, Format::Png);
  EXPECT_EQ(of(kJpegRgb).format, Format::Jpeg);
  EXPECT_FALSE(conversions(as_bytes("Hello, not a picture")));
}

TEST(Conversions, FindsInksDepthAndAnimations) {
  EXPECT_TRUE(of(kJpegCmyk).cmyk);
  EXPECT_TRUE(of(kPngGray16).deep);
  EXPECT_TRUE(of(kGifAnimated).first_frame);
  EXPECT_TRUE(of(kWebpAnimated).first_frame);
}

TEST(Conversions, FindsTransparency) {
  EXPECT_TRUE(of(kPngAlpha).alpha);
  for (const auto text : {kPngRgb, kPngGray16, kJpegRgb, kWebpLossy, kBmp24}) EXPECT_FALSE(of(text).alpha);
}

TEST(Conversions, FindsAnAnimatedPng) {
  auto png = decode_base64(kPngRgb);
  const std::string chunk(
      "\0\0\0\x08"
      "acTL\0\0\0\x02\0\0\0\0\xF3\x8D\x93\x70",
      20);
  png.insert(8 + 25, chunk);  // behind IHDR
  EXPECT_TRUE(conversions(as_bytes(png))->first_frame);
}

TEST(Conversions, FindsExifRotation) {
  auto jpeg = decode_base64(kJpegRgb);
  // APP1: "Exif", a little-endian TIFF header, one directory entry: orientation (0x0112), short, 6.
  const std::string exif(
      "\xFF\xE1\0\x22"
      "Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0",
      36);
  jpeg.insert(2, exif);
  EXPECT_TRUE(conversions(as_bytes(jpeg))->turned);
}

}  // namespace
}  // namespace imago::image
