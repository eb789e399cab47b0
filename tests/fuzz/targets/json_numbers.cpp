// SPDX-License-Identifier: Apache-2.0
#include "fuzz/target.hpp"
#include "json/json.hpp"
#include "serve/pixels.hpp"

FUZZ_TARGET(json_numbers) {
  constexpr std::size_t kMost = 4096;
  if (const auto array = imago::json::parse_numbers(input, kMost)) {
    std::size_t count = 1;
    for (const auto side : array->shape) count *= side;
    EXPECTS(count == array->numbers.size() && count <= kMost, "the numbers are those of the shape");
  }
  const imago::image::Preprocess preprocess{.width = 2, .height = 2};
  if (const auto image =
          imago::serve::image_from_numbers(input, imago::serve::Layout::Auto, imago::serve::Range::Auto, preprocess))
    EXPECTS(image->rgb.size() == image->pixels() * 3, "an image's pixels match its size");
}
