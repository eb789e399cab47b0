// SPDX-License-Identifier: Apache-2.0
// A data set drawn by the program itself, for machines without any other: ten kinds of shapes and textures in random
// colours, sizes, places and turns, over cluttered, noisy ground. The colours say nothing about the class.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "data/import.hpp"
#include "data/repository.hpp"
#include "image/image.hpp"

namespace imago::data {

inline constexpr std::array<std::string_view, 10> kShapeLabels{
    "checkerboard", "circle", "cross", "dots", "ring", "spiral", "square", "star", "stripes", "triangle"};

struct ShapesRequest {
  std::string name = "shapes";
  int train = 10'000;  ///< `validation` of these become the validation split
  int test = 2'000;
  double validation = 0.1;
  int side = 32;  ///< pixels, 16 to 512
  std::uint64_t seed = 42;
};

/// One picture, anti-aliased. The same (label, side, seed) give the same pixels, as far as machines agree on sines.
/// @param label index into kShapeLabels.
image::Image draw_shape(int label, int side, std::uint64_t seed);

/// Draws and publishes the data set, as many images of each class as of the others (to within one). The same request
/// gives the same version. InvalidArgument for sizes out of range; Cancelled by `stop`. `on_progress(done, total)` may
/// be empty.
Result<ImportReport> generate_shapes(Repository& repository, const ShapesRequest& request,
                                     const std::function<void(std::size_t, std::size_t)>& on_progress,
                                     const std::atomic<bool>* stop);

}  // namespace imago::data
