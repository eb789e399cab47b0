// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "image/drawing.hpp"
#include "image/guard.hpp"

namespace imago::image {
namespace {

constexpr double kMostPixels = 64e6;
constexpr int kFont = cv::FONT_HERSHEY_SIMPLEX;
/// Height of a capital of the font at scale 1, and what it is of a font's size elsewhere.
constexpr double kFontHeight = 22.0;
constexpr double kCapital = 0.72;
/// Coordinates are given to OpenCV in sixteenths of a pixel.
constexpr int kFractionBits = 4;
constexpr double kFraction = 1 << kFractionBits;

cv::Scalar scalar(Color color) {
  return {static_cast<double>(color.r), static_cast<double>(color.g), static_cast<double>(color.b)};
}

/// What the font has.
std::string ascii(const std::string& text) {
  std::string plain;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) plain += byte < 0x20 ? ' ' : c;
    if (byte >= 0xC0) plain += '?';  // the first byte of a longer character
  }
  return plain;
}

class PixelWriter {
 public:
  PixelWriter(cv::Mat target, double scale) : target_(std::move(target)), scale_(scale) {}

  void operator()(const Lines& lines) {
    for (const auto& stroke : lines.strokes) {
      std::vector<cv::Point> points;
      for (const auto& [x, y] : stroke) points.push_back(fine(x, y));
      cv::polylines(target_, points, false, scalar(lines.color), thickness(lines.width), cv::LINE_AA, kFractionBits);
    }
  }

  void operator()(const Box& box) {
    const auto corner = [&](double x, double y) { return cv::Point(pixels(x), pixels(y)); };
    const cv::Rect area(corner(box.x, box.y), corner(box.x + box.width, box.y + box.height));
    cv::rectangle(target_, area, scalar(box.fill), cv::FILLED);
    if (!box.title.empty()) cv::rectangle(target_, area, scalar({221, 221, 221}), 1);
  }

  void operator()(const Dots& dots) {
    for (const auto& [x, y] : dots.centers)
      cv::circle(target_, fine(x, y), static_cast<int>(std::lround(dots.radius * scale_ * kFraction)),
                 scalar(dots.color), cv::FILLED, cv::LINE_AA, kFractionBits);
  }

  void operator()(const Text& text) {
    const std::string shown = ascii(text.text);
    const double font_scale = text.size * kCapital * scale_ / kFontHeight;
    const int stroke = thickness(text.size / 12.0 * 0.6);
    int below = 0;
    const cv::Size size = cv::getTextSize(shown, kFont, font_scale, stroke, &below);
    const int back = text.anchor == Anchor::Start ? 0 : text.anchor == Anchor::Middle ? size.width / 2 : size.width;
    const cv::Point at(pixels(text.x), pixels(text.y));
    if (text.degrees == 0.0) {
      cv::putText(target_, shown, at - cv::Point(back, 0), kFont, font_scale, scalar(text.color), stroke, cv::LINE_AA);
      return;
    }
    // Drawn flat on a picture of its own around its anchor, turned there, and laid over this one.
    const int reach = size.width + size.height + below + stroke;
    cv::Mat flat(2 * reach, 2 * reach, CV_8U, cv::Scalar(0)), turned;
    cv::putText(flat, shown, cv::Point(reach - back, reach), kFont, font_scale, cv::Scalar(255), stroke, cv::LINE_AA);
    const auto centre = cv::Point2f(static_cast<float>(reach), static_cast<float>(reach));
    cv::warpAffine(flat, turned, cv::getRotationMatrix2D(centre, -text.degrees, 1.0), flat.size());
    blend(turned, at - cv::Point(reach, reach), text.color);
  }

 private:
  [[nodiscard]] int pixels(double length) const { return static_cast<int>(std::lround(length * scale_)); }
  [[nodiscard]] cv::Point fine(double x, double y) const {
    return {static_cast<int>(std::lround(x * scale_ * kFraction)),
            static_cast<int>(std::lround(y * scale_ * kFraction))};
  }
  [[nodiscard]] int thickness(double width) const { return std::max(1, pixels(width)); }

  /// `mask` says how much of `color` a pixel gets; its upper left corner is at `corner`.
  void blend(const cv::Mat& mask, cv::Point corner, Color color) {
    const cv::Rect area = cv::Rect(corner, mask.size()) & cv::Rect({0, 0}, target_.size());
    const std::array<int, 3> ink{color.r, color.g, color.b};
    for (int y = area.y; y < area.y + area.height; ++y) {
      for (int x = area.x; x < area.x + area.width; ++x) {
        const int share = mask.at<std::uint8_t>(y - corner.y, x - corner.x);
        auto& pixel = target_.at<cv::Vec3b>(y, x);
        for (int c = 0; c < 3; ++c)
          pixel[c] = cv::saturate_cast<std::uint8_t>(
              (pixel[c] * (255 - share) + ink.at(static_cast<std::size_t>(c)) * share) / 255);
      }
    }
  }

  cv::Mat target_;
  double scale_;
};

}  // namespace

Result<Image> rasterize(const Drawing& drawing, double scale) {
  const double width = std::ceil(drawing.width * scale);
  const double height = std::ceil(drawing.height * scale);
  EXPECTS(width >= 1 && height >= 1, "a drawing has a size");
  if (width * height > kMostPixels)
    return fail(ErrorCode::ResourceExhausted, "a picture of {} x {} pixels is too large; SVG has no such limit", width,
                height);
  return guard([&]() -> Result<Image> {
    Image image{static_cast<int>(width), static_cast<int>(height), {}};
    image.rgb.assign(image.pixels() * 3, 255);
    PixelWriter writer(cv::Mat(image.height, image.width, CV_8UC3, image.rgb.data()), scale);
    for (const auto& shape : drawing.shapes) std::visit(writer, shape);
    return image;
  });
}

}  // namespace imago::image
