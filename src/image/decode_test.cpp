// SPDX-License-Identifier: Apache-2.0
#include "image/decode.hpp"

#include <gmock/gmock.h>

#include <array>
#include <functional>
#include <vector>

#include "base/files.hpp"
#include "base/rng.hpp"
#include "image/encode.hpp"
#include "image/preprocess.hpp"
#include "image/test_images.hpp"

namespace imago::image {
namespace {

using ::testing::HasSubstr;
using Pixel = std::array<int, 3>;

constexpr Pixel kBlack{0, 0, 0}, kRed{255, 0, 0}, kGreen{0, 255, 0}, kBlue{0, 0, 255}, kWhite{255, 255, 255};

/// The pixels of kPngRgb and its relatives, each `scale` x `scale`.
Pixel quarters(int x, int y, int scale = 1) {
  x /= scale;
  y /= scale;
  if (x == 0 && y == 0) return kBlack;
  return y < 2 ? (x < 3 ? kRed : kGreen) : (x < 3 ? kBlue : kWhite);
}

Pixel at(const Image& image, int x, int y) {
  const auto* p =
      &image.rgb[(static_cast<std::size_t>(y) * static_cast<std::size_t>(image.width) + static_cast<std::size_t>(x)) *
                 3];
  return {p[0], p[1], p[2]};
}

Image decoded(std::string_view base64, int least_side = 0) {
  const auto bytes = testing::decode_base64(base64);
  auto image = decode(as_bytes(bytes), {}, least_side);
  EXPECT_TRUE(image.has_value()) << image.error().message;
  return image ? *image : Image{};
}

void expect_pixels(std::string_view base64, int width, int height, const std::function<Pixel(int, int)>& expected,
                   int tolerance = 0) {
  const auto image = decoded(base64);
  ASSERT_EQ(image.width, width);
  ASSERT_EQ(image.height, height);
  ASSERT_EQ(image.rgb.size(), image.pixels() * 3);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (std::size_t c = 0; c < 3; ++c)
        ASSERT_NEAR(at(image, x, y)[c], expected(x, y)[c], tolerance) << x << ", " << y << " channel " << c;
}

Pixel gray(int value) { return {value, value, value}; }

const auto kQuarters = [](int x, int y) { return quarters(x, y); };
const auto kLargeQuarters = [](int x, int y) { return quarters(x, y, 8); };

/// All small images, for tests that damage them.
const std::vector<std::string>& all_images() {
  using namespace testing;
  static const std::vector<std::string> images = [] {
    std::vector<std::string> made;
    for (const auto text :
         {kPngRgb,       kPngPalette, kPngGray, kPngGray16,       kPngAlpha,       kWebpLossless,  kWebpAlpha,
          kWebpAnimated, kWebpLossy,  kGif,     kGifAnimated,     kGifTransparent, kGifInterlaced, kBmp24,
          kBmp8,         kBmp1,       kJpegRgb, kJpegProgressive, kJpegGray,       kJpegCmyk})
      made.push_back(decode_base64(text));
    return made;
  }();
  return images;
}

TEST(Decode, ReadsPngExactlyInEveryColourType) {
  expect_pixels(testing::kPngRgb, 6, 4, kQuarters);
  expect_pixels(testing::kPngPalette, 6, 4, kQuarters);
  expect_pixels(testing::kPngGray, 6, 4, [](int x, int y) {
    const auto p = quarters(x, y);
    return gray(p == kBlack ? 0 : p == kRed ? 76 : p == kGreen ? 150 : p == kBlue ? 29 : 255);
  });
  expect_pixels(testing::kPngGray16, 6, 4, [](int x, int y) { return gray((y * 6 + x) * 2800 / 256); });
}

TEST(Decode, LaysTransparencyOverWhite) {
  const auto over = [](int x, int y) {
    auto p = quarters(x, y);
    for (int& value : p) value = (value * 51 * x + 255 * (255 - 51 * x) + 127) / 255;
    return p;
  };
  expect_pixels(testing::kPngAlpha, 6, 4, over);
  expect_pixels(testing::kWebpAlpha, 6, 4, over);
  expect_pixels(testing::kGifTransparent, 6, 4,
                [](int x, int y) { return x == 0 && y == 0 ? kWhite : quarters(x, y); });
}

TEST(Decode, ReadsWebpAndTheFirstFrameOfAnAnimation) {
  expect_pixels(testing::kWebpLossless, 6, 4, kQuarters);
  expect_pixels(testing::kWebpAnimated, 6, 4, kQuarters);
  const auto lossy = decoded(testing::kWebpLossy);  // Pillow reads (0, 0, 0), (255, 1, 0), (255, 255, 255) there
  for (std::size_t c = 0; c < 3; ++c) {
    EXPECT_NEAR(at(lossy, 3, 3)[c], 0, 2);
    EXPECT_NEAR(at(lossy, 16, 10)[c], kRed[c], 3);
    EXPECT_NEAR(at(lossy, 40, 28)[c], 255, 2);
  }
}

TEST(Decode, ReadsGifAndItsFirstFrameAndInterlacing) {
  expect_pixels(testing::kGif, 6, 4, kQuarters);
  expect_pixels(testing::kGifAnimated, 6, 4, kQuarters);
  expect_pixels(testing::kGifInterlaced, 5, 12, [](int x, int y) { return gray(y * 5 + x); });
}

TEST(Decode, ReadsBmpOf24And8And1Bits) {
  expect_pixels(testing::kBmp24, 6, 4, kQuarters);
  expect_pixels(testing::kBmp8, 6, 4, kQuarters);
  expect_pixels(testing::kBmp1, 6, 4, [](int x, int y) {
    const auto p = quarters(x, y);
    return p == kGreen || p == kWhite ? kWhite : kBlack;
  });
}

TEST(Decode, ReadsJpegOfEveryKindWithinAFewSteps) {
  // Away from the edges of the quarters, where the transform rings.
  for (const auto text : {testing::kJpegRgb, testing::kJpegProgressive, testing::kJpegCmyk}) {
    const auto image = decoded(text);
    ASSERT_EQ(image.width, 48);
    ASSERT_EQ(image.height, 32);
    for (const auto& [x, y] : {std::pair(3, 3), {16, 10}, {40, 10}, {10, 28}, {40, 28}})
      for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(at(image, x, y)[c], kLargeQuarters(x, y)[c], 3) << x << ", " << y;
  }
  const auto image = decoded(testing::kJpegGray);
  EXPECT_NEAR(at(image, 16, 10)[0], 76, 2);
  EXPECT_NEAR(at(image, 40, 10)[2], 150, 2);
}

TEST(Decode, ReadsAJpegWhoseSegmentsOnlyTheLibraryCanFollow) {
  auto jpeg = testing::decode_base64(testing::kJpegRgb);
  jpeg.insert(2, "\xFF\x01");  // TEM: a marker without a length
  EXPECT_EQ(decode(as_bytes(jpeg)).value().rgb, decoded(testing::kJpegRgb).rgb);
}

TEST(Decode, ScalesAJpegDownOnlyWhileBothSidesStayLongEnough) {
  EXPECT_EQ(decoded(testing::kJpegRgb, 32).width, 48);
  const auto half = decoded(testing::kJpegRgb, 16);
  EXPECT_EQ(half.width, 24);
  EXPECT_EQ(half.height, 16);
  EXPECT_NEAR(at(half, 20, 5)[1], 255, 3);
  EXPECT_EQ(decoded(testing::kJpegRgb, 1).width, 6);
}

/// kJpegRgb with an EXIF block, in either byte order.
std::string with_orientation(int orientation, bool little) {
  const auto number = [&](unsigned value, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> 8 * (little ? i : bytes - 1 - i) & 0xFFU);
    return text;
  };
  const std::string tiff = std::string(little ? "II" : "MM") + number(42, 2) + number(8, 4) + number(1, 2) +
                           number(0x0112, 2) + number(3, 2) + number(1, 4) +
                           number(static_cast<unsigned>(orientation), 2) + number(0, 2) + number(0, 4);
  const std::string body = std::string("Exif\0\0", 6) + tiff;
  std::string segment("\xFF\xE1", 2);
  segment += static_cast<char>((body.size() + 2) >> 8);
  segment += static_cast<char>((body.size() + 2) & 0xFF);
  auto jpeg = testing::decode_base64(testing::kJpegRgb);
  return jpeg.insert(2, segment + body);
}

TEST(Decode, TurnsTheImageAsEachExifOrientationSays) {
  // The corners after turning: top left, top right, bottom left, bottom right (EXIF 2.32; the same as Pillow's
  // exif_transpose).
  const std::array<std::array<Pixel, 4>, 8> corners{{{kBlack, kGreen, kBlue, kWhite},
                                                     {kGreen, kBlack, kWhite, kBlue},
                                                     {kWhite, kBlue, kGreen, kBlack},
                                                     {kBlue, kWhite, kBlack, kGreen},
                                                     {kBlack, kBlue, kGreen, kWhite},
                                                     {kBlue, kBlack, kWhite, kGreen},
                                                     {kWhite, kGreen, kBlue, kBlack},
                                                     {kGreen, kWhite, kBlack, kBlue}}};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    for (const bool little : {true, false}) {
      const auto bytes = with_orientation(orientation, little);
      const auto image = decode(as_bytes(bytes));
      ASSERT_TRUE(image) << image.error().message;
      const auto probed = probe(as_bytes(bytes));
      ASSERT_TRUE(probed);
      EXPECT_EQ(image->width, orientation < 5 ? 48 : 32);
      EXPECT_EQ(probed->width, image->width);
      EXPECT_EQ(probed->height, image->height);
      const int right = image->width - 2;
      const int bottom = image->height - 2;
      const std::array<Pixel, 4> seen{at(*image, 1, 1), at(*image, right, 1), at(*image, 1, bottom),
                                      at(*image, right, bottom)};
      for (std::size_t corner = 0; corner < 4; ++corner)
        for (std::size_t c = 0; c < 3; ++c)
          EXPECT_NEAR(seen[corner][c], corners[static_cast<std::size_t>(orientation - 1)][corner][c], 4)
              << orientation << " corner " << corner;
    }
  }
}

TEST(Decode, IgnoresABrokenExifBlock) {
  for (const int orientation : {0, 9, 60000}) {
    const auto bytes = with_orientation(orientation, true);
    const auto image = decode(as_bytes(bytes));
    ASSERT_TRUE(image) << image.error().message;
    EXPECT_EQ(image->width, 48);
  }
}

TEST(Decode, RefusesEveryTruncation) {
  for (const auto& whole : all_images()) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const std::string cut = whole.substr(0, size);  // its own allocation, so that reading past it would be seen
      const auto image = decode(as_bytes(cut));
      ASSERT_FALSE(image) << size << " of " << whole.size() << " bytes of '" << whole.substr(0, 4)
                          << "' were taken for an image";
      EXPECT_TRUE(image.error().code == ErrorCode::Corrupt || image.error().code == ErrorCode::Unsupported)
          << image.error().message;
    }
  }
}

TEST(Decode, SurvivesAnyChangedByte) {
  const DecodeLimits limits{.max_pixels = 1'000'000};
  Rng rng(7);
  for (const auto& whole : all_images()) {
    for (std::size_t i = 0; i < whole.size(); ++i) {
      for (int change = 0; change < 4; ++change) {
        std::string damaged = whole;
        damaged[i] = static_cast<char>(rng.below(256));
        const auto image = decode(as_bytes(damaged), limits);
        if (!image) continue;
        ASSERT_EQ(image->rgb.size(), image->pixels() * 3);
        ASSERT_LE(image->pixels(), limits.max_pixels);
      }
    }
  }
}

TEST(Decode, RefusesAPixelBombByItsHeader) {
  const auto png = testing::decode_base64(testing::kPngBomb);
  const auto refused = decode(as_bytes(png));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::ResourceExhausted);
  EXPECT_THAT(refused.error().message, HasSubstr("20000 x 20000 = 400000000 pixels, at most 64000000"));

  auto jpeg = testing::decode_base64(testing::kJpegRgb);
  const auto frame = jpeg.find("\xFF\xC0");
  ASSERT_NE(frame, std::string::npos);
  jpeg.replace(frame + 5, 4, "\x4E\x20\x4E\x20");
  const auto refused_jpeg = probe(as_bytes(jpeg));
  ASSERT_FALSE(refused_jpeg);
  EXPECT_THAT(refused_jpeg.error().message, HasSubstr("20000 x 20000 = 400000000 pixels"));

  auto gif = testing::decode_base64(testing::kGif);
  gif.replace(6, 4, "\xFF\xFF\xFF\xFF");
  EXPECT_EQ(decode(as_bytes(gif)).error().code, ErrorCode::ResourceExhausted);

  auto bmp = testing::decode_base64(testing::kBmp24);
  bmp.replace(18, 8, std::string("\xFF\xFF\xFF\x7F\xFF\xFF\xFF\x7F", 8));
  EXPECT_EQ(decode(as_bytes(bmp)).error().code, ErrorCode::ResourceExhausted);
}

TEST(Decode, RefusesALongThinImageAndTooManyBytes) {
  const auto png = testing::decode_base64(testing::kPngRgb);
  const auto side = decode(as_bytes(png), {.max_side = 5});
  ASSERT_FALSE(side);
  EXPECT_THAT(side.error().message, HasSubstr("6 x 4 pixels, at most 5 a side"));
  const auto bytes = decode(as_bytes(png), {.max_bytes = 50});
  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().code, ErrorCode::ResourceExhausted);
  EXPECT_THAT(bytes.error().message, HasSubstr("94 bytes, at most 50"));
}

TEST(Decode, SaysWhatAFileThatIsNoImageStartsWith) {
  const auto text = decode(as_bytes("Hello world, I am holiday.jpg"));
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, ErrorCode::Unsupported);
  EXPECT_THAT(text.error().message, HasSubstr("not an image we read: starts with 'Hello wo'..."));
  EXPECT_THAT(decode(as_bytes("BMW is a car maker, not a bitmap")).error().message, HasSubstr("not an image"));
  EXPECT_THAT(decode(as_bytes(std::string_view("\x7F\x45LF", 4))).error().message, HasSubstr("'\\x7fELF'"));
  EXPECT_THAT(decode({}).error().message, HasSubstr("it is empty"));
}

TEST(Probe, TellsFormatAndSizeOfEveryFormat) {
  const std::vector<std::pair<std::string_view, Format>> expected{{testing::kPngAlpha, Format::Png},
                                                                  {testing::kWebpAnimated, Format::WebP},
                                                                  {testing::kGifTransparent, Format::Gif},
                                                                  {testing::kBmp8, Format::Bmp}};
  for (const auto& [text, format] : expected) {
    const auto bytes = testing::decode_base64(text);
    const auto probed = probe(as_bytes(bytes));
    ASSERT_TRUE(probed) << probed.error().message;
    EXPECT_EQ(probed->format, format);
    EXPECT_EQ(probed->width, 6);
    EXPECT_EQ(probed->height, 4);
  }
}

TEST(Encode, PngKeepsEveryPixelAndJpegNearlyAll) {
  const auto image = decoded(testing::kJpegRgb);
  const auto png = encode_png(image);
  ASSERT_TRUE(png) << png.error().message;
  EXPECT_EQ(decode(as_bytes(*png))->rgb, image.rgb);
  const auto jpeg = encode_jpeg(image, 95);
  ASSERT_TRUE(jpeg) << jpeg.error().message;
  const auto back = decode(as_bytes(*jpeg));
  ASSERT_TRUE(back);
  for (std::size_t i = 0; i < image.rgb.size(); ++i) ASSERT_NEAR(back->rgb[i], image.rgb[i], 12);
}

TEST(Encode, RefusesAQualityOutOfRangeAndNoPixels) {
  EXPECT_THAT(encode_jpeg(decoded(testing::kPngRgb), 101).error().message, HasSubstr("quality 101"));
  EXPECT_FALSE(encode_jpeg(Image{}));
  EXPECT_FALSE(encode_png(Image{}));
}

}  // namespace
}  // namespace imago::image
