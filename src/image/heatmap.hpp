// SPDX-License-Identifier: Apache-2.0
// A heat map laid over the image it explains.
#pragma once

#include <vector>

#include "base/error.hpp"
#include "image/image.hpp"
#include "image/preprocess.hpp"

namespace imago::image {

struct Heatmap {
  int width = 0;
  int height = 0;
  std::vector<float> values;  ///< [height, width], row-major, in [0, 1]
};

struct OverlayOptions {
  double opacity = 0.5;  ///< of the colours, in [0, 1]
  int least_side = 256;  ///< a smaller image is enlarged, so that something can be seen
  int most_side = 1024;  ///< a larger one shrinks
};

/// For people to look at, not for a model: as large as an overlay may be, or a little larger. Errors as decode.
Result<Image> decode_for_display(Bytes encoded, const DecodeLimits& limits = {});

/// The part of `image` that a model with this preprocessing sees: with Fit::CropCentre the middle.
Image visible_part(const Image& image, const Preprocess& preprocess);

/// Colours (OpenCV's COLORMAP_TURBO: blue for 0, red for 1) over `image`, which keeps its shape; the map is stretched
/// over the whole of it bilinearly. InvalidArgument when the map's size and values disagree or a value is not in [0,
/// 1].
Result<Image> overlay(const Image& image, const Heatmap& heatmap, const OverlayOptions& options = {});

/// The map over width x height pixels, bilinearly, [height, width] row-major. Errors as overlay.
Result<std::vector<float>> stretched(const Heatmap& heatmap, int width, int height);

/// Every plane of every image blurred by a Gaussian of `sigma` pixels; beyond the border lies the reflection about the
/// border pixel. InvalidArgument unless `sigma` is above 0.
Result<ImageBatch> blurred(const ImageBatch& images, double sigma);

}  // namespace imago::image
