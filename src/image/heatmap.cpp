// SPDX-License-Identifier: Apache-2.0
#include "image/heatmap.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "image/guard.hpp"

namespace imago::image {
namespace {

Result<void> check(const Heatmap& heatmap) {
  const auto cells =
      static_cast<std::size_t>(std::max(0, heatmap.width)) * static_cast<std::size_t>(std::max(0, heatmap.height));
  if (cells == 0 || cells != heatmap.values.size())
    return fail(ErrorCode::InvalidArgument, "a heat map of {} x {} with {} values", heatmap.width, heatmap.height,
                heatmap.values.size());
  for (const float value : heatmap.values) {
    if (!(value >= 0.0F && value <= 1.0F))  // nan too
      return fail(ErrorCode::InvalidArgument, "the heat map has {}, not in [0, 1]", value);
  }
  return {};
}

/// Where both sides fit best; a very long image may stay smaller than least_side.
cv::Size shown_size(const Image& image, const OverlayOptions& options) {
  const double shorter = std::min(image.width, image.height);
  const double longer = std::max(image.width, image.height);
  const double scale = std::min(std::max(1.0, options.least_side / shorter), options.most_side / longer);
  return {std::max(1, static_cast<int>(std::lround(image.width * scale))),
          std::max(1, static_cast<int>(std::lround(image.height * scale)))};
}

cv::Mat smooth(const Heatmap& heatmap, cv::Size size) {
  auto values = heatmap.values;
  const cv::Mat cells(heatmap.height, heatmap.width, CV_32F, values.data());
  cv::Mat out;
  cv::resize(cells, out, size, 0, 0, cv::INTER_LINEAR);
  return out;
}

/// 8-bit RGB colours of the map, stretched to `size`.
cv::Mat colours(const Heatmap& heatmap, cv::Size size) {
  cv::Mat bytes, bgr, rgb;
  smooth(heatmap, size).convertTo(bytes, CV_8U, 255.0);
  cv::applyColorMap(bytes, bgr, cv::COLORMAP_TURBO);
  cv::cvtColor(bgr, rgb, cv::COLOR_BGR2RGB);
  return rgb;
}

}  // namespace

Result<Image> decode_for_display(Bytes encoded, const DecodeLimits& limits) {
  return decode(encoded, limits, OverlayOptions{}.most_side);
}

Result<Image> overlay(const Image& image, const Heatmap& heatmap, const OverlayOptions& options) {
  EXPECTS(image.rgb.size() == image.pixels() * 3 && image.pixels() > 0, "an image's pixels match its size");
  TRY_VOID(check(heatmap));
  return guard([&]() -> Result<Image> {
    auto pixels = image.rgb;
    const cv::Mat whole(image.height, image.width, CV_8UC3, pixels.data());
    const cv::Size size = shown_size(image, options);
    cv::Mat shown = whole;
    if (size != whole.size())
      cv::resize(whole, shown, size, 0, 0, size.width < image.width ? cv::INTER_AREA : cv::INTER_CUBIC);
    Image out{size.width, size.height, {}};
    out.rgb.resize(out.pixels() * 3);
    cv::Mat target(out.height, out.width, CV_8UC3, out.rgb.data());
    cv::addWeighted(shown, 1.0 - options.opacity, colours(heatmap, size), options.opacity, 0.0, target);
    return out;
  });
}

Result<std::vector<float>> stretched(const Heatmap& heatmap, int width, int height) {
  EXPECTS(width > 0 && height > 0, "something to stretch it over");
  TRY_VOID(check(heatmap));
  return guard([&]() -> Result<std::vector<float>> {
    std::vector<float> out(static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
    cv::Mat target(height, width, CV_32F, out.data());
    smooth(heatmap, {width, height}).copyTo(target);
    return out;
  });
}

Result<ImageBatch> blurred(const ImageBatch& images, double sigma) {
  if (!(sigma > 0.0)) return fail(ErrorCode::InvalidArgument, "a blur of {} pixels", sigma);
  return guard([&]() -> Result<ImageBatch> {
    ImageBatch out = images;
    const auto plane = static_cast<std::size_t>(images.width) * static_cast<std::size_t>(images.height);
    for (std::size_t begin = 0; begin < out.data.size(); begin += plane) {
      cv::Mat pixels(images.height, images.width, CV_32F, out.data.data() + begin);
      cv::GaussianBlur(pixels, pixels, cv::Size(), sigma, sigma, cv::BORDER_REFLECT_101);
    }
    return out;
  });
}

}  // namespace imago::image
