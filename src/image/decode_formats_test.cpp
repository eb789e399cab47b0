// SPDX-License-Identifier: Apache-2.0
// The rarer kinds of each format. JPEG, WebP, GIF and bitmaps by Pillow 13.0.0, PNG by a writer of a few lines, where
// Pillow has none (Adam7, 16 bits, tRNS); Pillow reads all of them to the pixels that the tests expect.
#include <gmock/gmock.h>

#include <array>
#include <functional>

#include "base/files.hpp"
#include "image/decode.hpp"
#include "image/test_images.hpp"

namespace imago::image {
namespace {

using ::testing::HasSubstr;
using Pixel = std::array<int, 3>;

// "The quarters": 6 x 4 pixels, red, green, blue and white; the pixel at the top left black.
// clang-format off
/// Adam7, RGB: the quarters.
constexpr std::string_view kPngInterlaced =
    "iVBORw0KGgoAAAANSUhEUgAAAAYAAAAECAIAAAFVYemCAAAAIUlEQVR42mNgAIH/YARlAAGYBxP8DwFQPkLmP0LnfzgAAIgAIt7q+LV/"
    "AAAAAElFTkSuQmCC";
/// Adam7, 4 bits a pixel: colour (x + y) % 5 of black, red, green, blue, white.
constexpr std::string_view kPngInterlacedPalette =
    "iVBORw0KGgoAAAANSUhEUgAAAAYAAAAEBAMAAAEoLWPmAAAAD1BMVEUAAAD/AAAA/wAAAP////+B57DtAAAAH0lEQVR42mNgYHBgUGBQ"
    "EWAQZmAwUGAQMmFkMGFUBgAQ+gGXJTwErAAAAABJRU5ErkJggg==";
/// 16 bits: (x * 10000, y * 20000, (x + y) * 8000).
constexpr std::string_view kPngRgb16 =
    "iVBORw0KGgoAAAANSUhEUgAAAAYAAAAEEAIAAABy9gVXAAAAfElEQVR42iWMsQ1EIQxDPQIb/HS0TIAyQcQCSFmCEolBsglNJLb4IzDC"
    "VQd3dmPZTwZ+igF4WAjIoyWgujHQsQpwE4QejkEoDyGh6i0J9TMJGa8iNAcumUcMxtVv3dGS8d9zrGL8+oG2Vo9haz+fW41b2jqH8dbX"
    "V9n6wRcPRzEMo/U3QQAAAABJRU5ErkJggg==";
/// The same with an alpha of 65535.
constexpr std::string_view kPngRgba16 =
    "iVBORw0KGgoAAAANSUhEUgAAAAYAAAAEEAYAAAD9lJIAAAAAhUlEQVR42h3LMQ1DMQyE4YMQBvWWNQgqI7BCoFJIZKz0gJhJlyeFRSEY"
    "Qhc3Fw9e/u+Ac5m1AA/NNAGeV+ZswOvOdAXeu68O+O4bmxDWYkJoYkI4mwmhqwnh6iaf6wxcCWtxJWQmnM2VkJ9wddfvfQYxCGuJQWgS"
    "g3C2GISuMQhXj/Hb/Q+XNGDcKx4LSAAAAABJRU5ErkJggg==";
/// Gray y * 60, alpha x * 51.
constexpr std::string_view kPngGrayAlpha =
    "iVBORw0KGgoAAAANSUhEUgAAAAYAAAAECAQAAAAHDYbIAAAAMElEQVR42gXBQQEAAAgCsevklzxmoIo9iGEn3QCKZlgOoVJrtDqMy+3x"
    "+gipdCabe5ldFGXhQC/UAAAAAElFTkSuQmCC";
/// Colour (x + y) % 3 of red, green, blue, with alpha 255, 0, 102.
constexpr std::string_view kPngPaletteAlpha =
    "iVBORw0KGgoAAAANSUhEUgAAAAYAAAAECAMAAACa2r5xAAAACVBMVEX/AAAA/wAAAP8tSs2KAAAAA3RSTlP/AGbgPzReAAAAE0lEQVR4"
    "2mNgYGRCIAYIgwHCBQABaAAZIdV+ygAAAABJRU5ErkJggg==";
/// One bit: white where x + y is odd.
constexpr std::string_view kPngOneBit =
    "iVBORw0KGgoAAAANSUhEUgAAAAYAAAAEAQAAAACFf3PuAAAADklEQVR42mMIYVjBAMQAB0AB+dtD3OQAAAAASUVORK5CYII=";
/// Two bits: gray (x + y) % 4 * 85.
constexpr std::string_view kPngGray2 =
    "iVBORw0KGgoAAAANSUhEUgAAAAYAAAAEAgAAAADC3wk+AAAAFElEQVR42mOQFmDISWDYuIHh2AEAEFYD37xfBI4AAAAASUVORK5CYII=";
/// The quarters with an eXIf chunk of orientation 3.
constexpr std::string_view kPngExif3 =
    "iVBORw0KGgoAAAANSUhEUgAAAAYAAAAECAIAAAAiZtkUAAAAGmVYSWZNTQAqAAAACAABARIAAwAAAAEAAwAAAAAAAIRfZM4AAAAlSURB"
    "VHicY2RgYPjPwMDAwMAIoRgYmGAMBGCEKWL4D1eFoYgBABuMBgLVJDwFAAAAAElFTkSuQmCC";
/// 32 bits: the quarters.
constexpr std::string_view kBmp32 =
    "Qk2WAAAAAAAAADYAAAAoAAAABgAAAAQAAAABACAAAAAAAGAAAADEDgAAxA4AAAAAAAAAAAAA/wAA//8AAP//AAD/////////////////"
    "/wAA//8AAP//AAD/////////////////AAD//wAA//8AAP//AP8A/wD/AP8A/wD/AAAA/wAA//8AAP//AP8A/wD/AP8A/wD/";
/// 24 bits, first row first: the quarters.
constexpr std::string_view kBmpTopDown =
    "Qk2GAAAAAAAAADYAAAAoAAAABgAAAPz///8BABgAAAAAAFAAAADEDgAAxA4AAAAAAAAAAAAAAAAAAAD/AAD/AP8AAP8AAP8AAAAAAP8A"
    "AP8AAP8A/wAA/wAA/wAAAP8AAP8AAP8AAP///////////wAA/wAA/wAA/wAA////////////AAA=";
/// 8 bits, run lengths: the quarters.
constexpr std::string_view kBmpRle8 =
    "Qk1kAAAAAAAAAEoAAAAoAAAABgAAAAQAAAABAAgAAQAAABoAAADEDgAAxA4AAAUAAAAFAAAA////AAD/AAAAAP8A/wAAAAAAAAADAwMA"
    "AAADAwMAAAADAgMBAAABBAICAwEAAQ==";
/// The quarters eight times as large, to be turned (EXIF orientation 6).
constexpr std::string_view kJpegExif6 =
    "/9j/4AAQSkZJRgABAQAAAQABAAD/4QAiRXhpZgAATU0AKgAAAAgAAQESAAMAAAABAAYAAAAAAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgF"
    "BQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUVDA8XGBYUGBIUFRT/2wBDAQMEBAUEBQkFBQkUDQsNFBQUFBQUFBQUFBQU"
    "FBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBT/wAARCAAgADADAREAAhEBAxEB/8QAHwAAAQUBAQEBAQEAAAAAAAAA"
    "AAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRol"
    "JicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5"
    "usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/8QAHwEAAwEBAQEBAQEBAQAAAAAAAAECAwQFBgcICQoL/8QAtREA"
    "AgECBAQDBAcFBAQAAQJ3AAECAxEEBSExBhJBUQdhcRMiMoEIFEKRobHBCSMzUvAVYnLRChYkNOEl8RcYGRomJygpKjU2Nzg5OkNERUZH"
    "SElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6goOEhYaHiImKkpOUlZaXmJmaoqOkpaanqKmqsrO0tba3uLm6wsPExcbHyMnK0tPU1dbX"
    "2Nna4uPk5ebn6Onq8vP09fb3+Pn6/9oADAMBAAIRAxEAPwD8qqAPsqvww/1TCgD7Gr8SP+Y8KACgD45r9tP+nAKACgD7Gr8SP+Y8KACg"
    "D8vK/wCjM/uUKACgD+luv8rD7gKACgD+aSv9Uz4cKACgD+luv8rD7gKACgD/2Q==";
/// Progressive gray of the large quarters.
constexpr std::string_view kJpegGrayProgressive =
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUV"
    "DA8XGBYUGBIUFRT/wgALCAAgADABAREA/8QAFwABAQEBAAAAAAAAAAAAAAAAAAcJCP/aAAgBAQAAAAHlSyrGRwsZy8aWmaRpaf/EABQQ"
    "AQAAAAAAAAAAAAAAAAAAAED/2gAIAQEAAQUCR//EABQQAQAAAAAAAAAAAAAAAAAAAED/2gAIAQEABj8CR//EABQQAQAAAAAAAAAAAAAA"
    "AAAAAED/2gAIAQEAAT8hR//aAAgBAQAAABD/APHH/8QAFBABAAAAAAAAAAAAAAAAAAAAQP/aAAgBAQABPxBH/9k=";
/// Colours at half the size (4:2:0).
constexpr std::string_view kJpeg420 =
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUV"
    "DA8XGBYUGBIUFRT/2wBDAQMEBAUEBQkFBQkUDQsNFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU"
    "FBT/wAARCAAgADADASIAAhEBAxEB/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQID"
    "AAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlq"
    "c3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3"
    "+Pn6/8QAHwEAAwEBAQEBAQEBAQAAAAAAAAECAwQFBgcICQoL/8QAtREAAgECBAQDBAcFBAQAAQJ3AAECAxEEBSExBhJBUQdhcRMiMoEI"
    "FEKRobHBCSMzUvAVYnLRChYkNOEl8RcYGRomJygpKjU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6goOEhYaHiImK"
    "kpOUlZaXmJmaoqOkpaanqKmqsrO0tba3uLm6wsPExcbHyMnK0tPU1dbX2Nna4uPk5ebn6Onq8vP09fb3+Pn6/9oADAMBAAIRAxEAPwD8"
    "qq+yqKK/KczzP+0uT3OXlv1vvbyXY/v7gXgX/Uv6z/tPtvbcn2OW3Lzf3pXvzeVrBX2NXxzX2NX5ZxL/AMuf+3v0P4c+mp/zT3/c1/7r"
    "hRRRXxB/mOfl5RRRX/Rmf3KFf0t1/NJX9Ldfyr45/wDMt/7i/wDuI9zLPt/L9Qooor+Vj3D/2Q==";
/// All transparent.
constexpr std::string_view kWebpLossyAlpha =
    "UklGRogAAABXRUJQVlA4WAoAAAAQAAAALwAAHwAAQUxQSAkAAAABBxAREYiI/gcAVlA4IFgAAADwAwCdASowACAAPi0QhkKhoQ1SAAwB"
    "YloAHYl/AD9gP6qAsQ4nLlBwAP79Pxv//sEM//+zuNDv//5Mc5TkH9Q/xjtIfv/kPzYh/8h8kr4g1ibStI0QAAAA";
/// First of three frames: the quarters.
constexpr std::string_view kGifThreeFrames =
    "R0lGODlhBgAEAIIAAAAAAP8AAAD/AAAA/////wAAAAAAAAAAACH/C05FVFNDQVBFMi4wAwEAAAAh+QQAAQAAACwAAAAABgAEAAAIFQAB"
    "BAggoOBAggUHKCTAUOEAhgQCAgAh+QQBAQABACwAAAAABgAEAIH///8AAAAAAAAAAAAIDgABCBxIsGCAgwMPBggIACH5BAEBAAUALAAA"
    "AAAGAAQAggAAAP8AAAD/AAAA/////wAAAAAAAAAAAAgVAAEECCCg4ECCBQcoLMBQ4QCGBQICADs=";
// clang-format on

Pixel quarters(int x, int y) {
  if (x == 0 && y == 0) return {0, 0, 0};
  if (y < 2) return x < 3 ? Pixel{255, 0, 0} : Pixel{0, 255, 0};
  return x < 3 ? Pixel{0, 0, 255} : Pixel{255, 255, 255};
}

Pixel gray(int value) { return {value, value, value}; }

/// Colour over white, as decode() lays transparency.
Pixel over_white(Pixel colour, int alpha) {
  for (int& value : colour) value = (value * alpha + 255 * (255 - alpha) + 127) / 255;
  return colour;
}

Result<Image> decoded(std::string_view base64) {
  const auto bytes = testing::decode_base64(base64);
  return decode(as_bytes(bytes));
}

void expect(std::string_view base64, int width, int height, const std::function<Pixel(int, int)>& expected,
            int tolerance = 0) {
  const auto image = decoded(base64);
  ASSERT_TRUE(image) << image.error().message;
  ASSERT_EQ(image->width, width);
  ASSERT_EQ(image->height, height);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (std::size_t c = 0; c < 3; ++c)
        ASSERT_NEAR(image->rgb[static_cast<std::size_t>(y * width + x) * 3 + c], expected(x, y)[c], tolerance)
            << x << ", " << y << " channel " << c;
}

TEST(PngKinds, Interlaced) {
  expect(kPngInterlaced, 6, 4, quarters);
  const std::array<Pixel, 5> palette{{{0, 0, 0}, {255, 0, 0}, {0, 255, 0}, {0, 0, 255}, {255, 255, 255}}};
  expect(kPngInterlacedPalette, 6, 4, [&](int x, int y) { return palette[static_cast<std::size_t>((x + y) % 5)]; });
}

TEST(PngKinds, OfSixteenBitsTheUpperEight) {
  const auto upper = [](int x, int y) { return Pixel{x * 10000 >> 8, y * 20000 >> 8, (x + y) * 8000 >> 8}; };
  expect(kPngRgb16, 6, 4, upper);
  expect(kPngRgba16, 6, 4, upper);
}

TEST(PngKinds, OfOneAndTwoBits) {
  expect(kPngOneBit, 6, 4, [](int x, int y) { return gray((x + y) % 2 * 255); });
  expect(kPngGray2, 6, 4, [](int x, int y) { return gray((x + y) % 4 * 85); });
}

TEST(PngKinds, TransparentGrayAndPalettes) {
  expect(kPngGrayAlpha, 6, 4, [](int x, int y) { return over_white(gray(y * 60), x * 51); });
  const std::array<Pixel, 3> seen{over_white({255, 0, 0}, 255), over_white({0, 255, 0}, 0),
                                  over_white({0, 0, 255}, 102)};
  expect(kPngPaletteAlpha, 6, 4, [&](int x, int y) { return seen[static_cast<std::size_t>((x + y) % 3)]; });
}

TEST(PngKinds, TurnedByExif) {
  expect(kPngExif3, 6, 4, [](int x, int y) { return quarters(5 - x, 3 - y); });
}

TEST(BmpKinds, Of32BitsAndFromTheTop) {
  expect(kBmp32, 6, 4, quarters);
  expect(kBmpTopDown, 6, 4, quarters);
}

TEST(BmpKinds, RunLengthsAreRefusedWithAWayOut) {
  const auto image = decoded(kBmpRle8);
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().code, ErrorCode::Unsupported);
  EXPECT_THAT(image.error().message, HasSubstr("save it as PNG"));
}

/// Away from the edges of the quarters, where the transform rings.
void expect_near_quarters(const Image& image, const std::function<Pixel(int, int)>& expected, int tolerance = 8) {
  for (int y = 4; y < image.height; y += 8)
    for (int x = 4; x < image.width; x += 8)
      for (std::size_t c = 0; c < 3; ++c)
        EXPECT_NEAR(image.rgb[static_cast<std::size_t>(y * image.width + x) * 3 + c], expected(x, y)[c], tolerance)
            << x << ", " << y << " channel " << c;
}

TEST(JpegKinds, TurnedByExifAsPillowTurnsIt) {
  const auto image = decoded(kJpegExif6);
  ASSERT_TRUE(image) << image.error().message;
  ASSERT_EQ(image->width, 32);
  ASSERT_EQ(image->height, 48);
  // Orientation 6: the first row is the right side. Column x of ours is row 31 - x of the file's.
  expect_near_quarters(*image, [](int x, int y) { return quarters(y / 8, (31 - x) / 8); });
}

TEST(JpegKinds, ProgressiveGrayAndHalvedColours) {
  const auto progressive = decoded(kJpegGrayProgressive);
  ASSERT_TRUE(progressive) << progressive.error().message;
  expect_near_quarters(*progressive, [](int x, int y) {
    const auto p = quarters(x / 8, y / 8);
    return gray((299 * p[0] + 587 * p[1] + 114 * p[2]) / 1000);  // ITU-R 601, as Pillow's convert("L")
  });
  const auto halved = decoded(kJpeg420);
  ASSERT_TRUE(halved) << halved.error().message;
  // Pillow reads (246, 4, 2) at (12, 12), where colours run over from the next quarter.
  expect_near_quarters(
      *halved, [](int x, int y) { return quarters(x / 8, y / 8); }, 12);
}

TEST(WebpKinds, WhollyTransparentIsWhite) {
  expect(kWebpLossyAlpha, 48, 32, [](int, int) { return gray(255); });
}

TEST(GifKinds, OfThreeFramesTheFirst) { expect(kGifThreeFrames, 6, 4, quarters); }

}  // namespace
}  // namespace imago::image
