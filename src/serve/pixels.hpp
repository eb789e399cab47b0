// SPDX-License-Identifier: Apache-2.0
// An image given as numbers in JSON. It becomes an 8-bit image like any decoded file, so that there is one way into the
// network: values in [0, 1] are taken times 255 and rounded to the nearest whole number, the precision a file has.
#pragma once

#include <string_view>

#include "base/error.hpp"
#include "image/image.hpp"
#include "image/preprocess.hpp"

namespace imago::serve {

enum class Layout { Auto, Hwc, Chw };   ///< Auto: by the nesting ([3, h, w] is Chw), Hwc when flat
enum class Range { Auto, Unit, Byte };  ///< Auto: Unit when no value is above 1, else Byte

/// "hwc", "chw", "auto" (empty: Auto). InvalidArgument for others.
Result<Layout> layout_from(std::string_view text);
/// "0-1", "unit", "1"; "0-255", "byte", "255"; "auto" (empty: Auto). InvalidArgument for others.
Result<Range> range_from(std::string_view text);

/// @param text a JSON array of numbers: flat, of 32 * 32 * 3 values or of the model's width * height * 3; or nested
/// [h][w][3],
///        [3][h][w], and either inside one more array of length 1, for any h and w up to 4096.
/// InvalidArgument naming the length or shape expected, or the value that is out of range.
Result<image::Image> image_from_numbers(std::string_view text, Layout layout, Range range,
                                        const image::Preprocess& preprocess);

}  // namespace imago::serve
