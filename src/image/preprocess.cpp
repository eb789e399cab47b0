// SPDX-License-Identifier: Apache-2.0
#include "image/preprocess.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "image/guard.hpp"
#include "image/heatmap.hpp"

namespace imago::image {
namespace {

constexpr int kMaxSide = 4096;

/// The part of a width x height image that fills `preprocess` without distortion.
cv::Rect centre_part(int width, int height, const Preprocess& preprocess) {
  const std::int64_t across = std::int64_t{width} * preprocess.height;
  const std::int64_t down = std::int64_t{height} * preprocess.width;
  if (across > down) {
    const int kept = std::max<int>(1, static_cast<int>((down + preprocess.height / 2) / preprocess.height));
    return {(width - kept) / 2, 0, kept, height};
  }
  const int kept = std::max<int>(1, static_cast<int>((across + preprocess.width / 2) / preprocess.width));
  return {0, (height - kept) / 2, width, kept};
}

/// Resizes one or both axes that change in the same direction.
cv::Mat scale(const cv::Mat& source, int width, int height, int interpolation) {
  if (source.cols == width && source.rows == height) return source;
  cv::Mat target;
  cv::resize(source, target, cv::Size(width, height), 0, 0, interpolation);
  return target;
}

/// OpenCV's threads would fight with the caller's: training and serving are parallel over images already.
void keep_to_one_thread() {
  static const bool done = [] {
    cv::setNumThreads(1);
    return true;
  }();
  static_cast<void>(done);
}

template <std::size_t N>
Result<std::array<float, N>> floats(const json::Value& value, std::string_view key) {
  TRY(const auto numbers, json::get<std::vector<double>>(value, key));
  if (numbers.size() != N)
    return fail(ErrorCode::InvalidArgument, "\"{}\" has {} numbers, but {} are needed", key, numbers.size(), N);
  std::array<float, N> out{};
  for (std::size_t i = 0; i < N; ++i) {
    out[i] = static_cast<float>(numbers[i]);
    if (!std::isfinite(out[i]))
      return fail(ErrorCode::InvalidArgument, "\"{}\"[{}] is {}, not a finite number", key, i, numbers[i]);
  }
  return out;
}

Result<int> side(const json::Value& value, std::string_view key) {
  TRY(const int pixels, json::get<int>(value, key));
  if (pixels < 1 || pixels > kMaxSide)
    return fail(ErrorCode::InvalidArgument, "\"{}\" is {}, but it goes from 1 to {}", key, pixels, kMaxSide);
  return pixels;
}

std::string_view to_string(Fit fit) { return fit == Fit::Stretch ? "stretch" : "crop_centre"; }

Result<Fit> fit_from(const std::string& name) {
  if (name == "stretch") return Fit::Stretch;
  if (name == "crop_centre") return Fit::CropCentre;
  return fail(ErrorCode::InvalidArgument, "\"fit\" is \"{}\", but it is \"stretch\" or \"crop_centre\"", name);
}

}  // namespace

json::Value to_json(const Preprocess& preprocess) {
  return json::Value{{"width", preprocess.width},
                     {"height", preprocess.height},
                     {"fit", to_string(preprocess.fit)},
                     {"mean", preprocess.mean},
                     {"stddev", preprocess.stddev}};
}

Result<Preprocess> preprocess_from_json(const json::Value& value) {
  Preprocess preprocess;
  TRY(preprocess.width, side(value, "width"));
  TRY(preprocess.height, side(value, "height"));
  TRY(const auto fit, json::get_or<std::string>(value, "fit", "stretch"));
  TRY(preprocess.fit, fit_from(fit));
  TRY(preprocess.mean, floats<3>(value, "mean"));
  TRY(preprocess.stddev, floats<3>(value, "stddev"));
  for (const float deviation : preprocess.stddev)
    if (deviation <= 0) return fail(ErrorCode::InvalidArgument, "\"stddev\" has {}, but it must be above 0", deviation);
  return preprocess;
}

Result<Image> resize(Image image, const Preprocess& preprocess) {
  EXPECTS(image.rgb.size() == image.pixels() * 3 && image.pixels() > 0, "an image's pixels match its size");
  if (image.width == preprocess.width && image.height == preprocess.height) return image;
  return guard([&]() -> Result<Image> {
    keep_to_one_thread();
    const cv::Mat whole(image.height, image.width, CV_8UC3, image.rgb.data());
    cv::Mat pixels =
        preprocess.fit == Fit::CropCentre ? whole(centre_part(image.width, image.height, preprocess)) : whole;
    // Area averaging is for shrinking only, so an image that shrinks one way and grows the other goes in two steps.
    pixels = scale(pixels, std::min(pixels.cols, preprocess.width), std::min(pixels.rows, preprocess.height),
                   cv::INTER_AREA);
    pixels = scale(pixels, preprocess.width, preprocess.height, cv::INTER_LINEAR);
    Image out{preprocess.width, preprocess.height, {}};
    out.rgb.resize(out.pixels() * 3);
    pixels.copyTo(cv::Mat(out.height, out.width, CV_8UC3, out.rgb.data()));
    return out;
  });
}

Image visible_part(const Image& image, const Preprocess& preprocess) {
  if (preprocess.fit != Fit::CropCentre) return image;
  const cv::Rect part = centre_part(image.width, image.height, preprocess);
  Image seen{part.width, part.height, {}};
  for (int y = part.y; y < part.y + part.height; ++y) {
    const auto begin = image.rgb.begin() + (static_cast<std::ptrdiff_t>(y) * image.width + part.x) * 3;
    seen.rgb.insert(seen.rgb.end(), begin, begin + static_cast<std::ptrdiff_t>(part.width) * 3);
  }
  return seen;
}

Result<Image> decode_for(const Preprocess& preprocess, Bytes encoded, const DecodeLimits& limits) {
  // Twice the size needed: the area averaging that follows then has real pixels to work on.
  return decode(encoded, limits, 2 * std::max(preprocess.width, preprocess.height));
}

Result<Image> decode_and_resize(Bytes encoded, const Preprocess& preprocess, const DecodeLimits& limits) {
  TRY(auto image, decode_for(preprocess, encoded, limits));
  return resize(std::move(image), preprocess);
}

void normalize(std::span<const std::uint8_t> rgb, const Preprocess& preprocess, std::span<float> planes) {
  const std::size_t pixels = static_cast<std::size_t>(preprocess.width) * static_cast<std::size_t>(preprocess.height);
  EXPECTS(rgb.size() == pixels * 3 && planes.size() == pixels * 3, "normalize: both spans hold width * height * 3");
  // (pixel / 255 - mean) / stddev as one multiplication and one addition.
  std::array<float, 3> factor{};
  std::array<float, 3> offset{};
  for (std::size_t c = 0; c < 3; ++c) {
    factor[c] = static_cast<float>(1.0 / (255.0 * preprocess.stddev[c]));
    offset[c] = static_cast<float>(-1.0 * preprocess.mean[c] / preprocess.stddev[c]);
  }
  // Blocks small enough for the first cache: pulling the channels apart and computing are two loops, so that the
  // second, the costly one, is vectorised on any processor.
  constexpr std::size_t kBlock = 256;
  std::array<std::array<std::uint8_t, kBlock>, 3> channels;
  for (std::size_t start = 0; start < pixels; start += kBlock) {
    const std::size_t count = std::min(kBlock, pixels - start);
    const std::uint8_t* source = rgb.data() + start * 3;
    for (std::size_t i = 0; i < count; ++i)
      for (std::size_t c = 0; c < 3; ++c) channels[c][i] = source[i * 3 + c];
    for (std::size_t c = 0; c < 3; ++c) {
      float* target = planes.data() + c * pixels + start;
      for (std::size_t i = 0; i < count; ++i) target[i] = static_cast<float>(channels[c][i]) * factor[c] + offset[c];
    }
  }
}

}  // namespace imago::image
