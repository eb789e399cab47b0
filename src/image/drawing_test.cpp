// SPDX-License-Identifier: Apache-2.0
#include "image/drawing.hpp"

#include <gmock/gmock.h>

#include <array>

namespace imago::image {
namespace {

using testing::HasSubstr;
using testing::Not;
using Pixel = std::array<int, 3>;

Pixel pixel(const Image& image, int x, int y) {
  const std::size_t at =
      (static_cast<std::size_t>(y) * static_cast<std::size_t>(image.width) + static_cast<std::size_t>(x)) * 3;
  return {image.rgb[at], image.rgb[at + 1], image.rgb[at + 2]};
}

/// Pixels inside the box that are not white.
int inked(const Image& image, int left, int top, int right, int bottom) {
  int count = 0;
  for (int y = top; y < bottom; ++y)
    for (int x = left; x < right; ++x) count += pixel(image, x, y) == Pixel{255, 255, 255} ? 0 : 1;
  return count;
}

TEST(Drawing, IsTheSameShapesInSvgAndInPixels) {
  Drawing drawing{40, 20, {}};
  drawing.shapes.emplace_back(Box{.x = 2, .y = 4, .width = 10, .height = 8, .fill = {200, 0, 0}, .title = {}});
  drawing.shapes.emplace_back(Lines{.strokes = {{{20, 0}, {20, 20}}}, .color = {0, 0, 200}, .width = 2});
  drawing.shapes.emplace_back(Dots{.centers = {{30, 10}}, .color = {0, 128, 0}, .radius = 3});
  const auto svg = to_svg(drawing);
  EXPECT_THAT(svg, HasSubstr("<rect x=\"2.0\" y=\"4.0\" width=\"10.0\" height=\"8.0\" fill=\"rgb(200,0,0)\"/>"));
  EXPECT_THAT(svg, HasSubstr("d=\"M20.0 0.0L20.0 20.0\" stroke=\"rgb(0,0,200)\""));
  EXPECT_THAT(svg, HasSubstr("<circle cx=\"30.0\" cy=\"10.0\" r=\"3\"/>"));

  const auto image = rasterize(drawing, 2.0).value();
  EXPECT_EQ(image.width, 80);
  EXPECT_EQ(image.height, 40);
  EXPECT_EQ(pixel(image, 10, 14), (Pixel{200, 0, 0}));
  EXPECT_EQ(pixel(image, 2, 14), (Pixel{255, 255, 255}));
  EXPECT_EQ(pixel(image, 40, 10), (Pixel{0, 0, 200}));
  EXPECT_EQ(pixel(image, 60, 20), (Pixel{0, 128, 0}));
}

TEST(Drawing, PutsWordsAtTheirAnchor) {
  for (const auto& [anchor, left, right] : {std::tuple{Anchor::Start, 100, 200}, {Anchor::End, 0, 101}}) {
    Drawing drawing{200, 40, {}};
    drawing.shapes.emplace_back(Text{.x = 100, .y = 25, .text = "accuracy", .anchor = anchor});
    const auto image = rasterize(drawing, 1.0).value();
    EXPECT_GT(inked(image, 0, 0, 200, 40), 50);
    EXPECT_EQ(inked(image, left, 10, right, 30), inked(image, 0, 0, 200, 40));
  }
}

TEST(Drawing, TurnsWordsAroundTheirAnchor) {
  Drawing drawing{200, 200, {}};
  drawing.shapes.emplace_back(Text{.x = 100, .y = 100, .text = "accuracy", .degrees = 90});
  const auto image = rasterize(drawing, 1.0).value();
  EXPECT_GT(inked(image, 90, 100, 110, 180), 50) << "it reads downwards from its anchor";
  EXPECT_EQ(inked(image, 0, 0, 80, 200) + inked(image, 120, 0, 200, 200), 0);
  EXPECT_THAT(to_svg(drawing), HasSubstr("transform=\"rotate(90 100.0 100.0)\""));
}

TEST(Drawing, StaysInsideItselfAndTakesAnyText) {
  Drawing drawing{30, 30, {}};
  drawing.shapes.emplace_back(Text{.x = 29, .y = 29, .text = "<b>\xC3\xA9\xF0\x9F\x98\x80\n&", .degrees = 45});
  drawing.shapes.emplace_back(Dots{.centers = {{-5, 100}}, .color = {}, .radius = 20});
  EXPECT_TRUE(rasterize(drawing).has_value());
  EXPECT_THAT(to_svg(drawing), Not(HasSubstr("<b>")));
  EXPECT_EQ(rasterize({1e5, 1e5, {}}).error().code, ErrorCode::ResourceExhausted);
}

}  // namespace
}  // namespace imago::image
