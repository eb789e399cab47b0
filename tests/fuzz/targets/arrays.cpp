// SPDX-License-Identifier: Apache-2.0
// Past the zip with its checksums: a pair of .npy files, the first one's length before them in two bytes.
#include "data/arrays.hpp"

#include <algorithm>

#include "fuzz/target.hpp"

FUZZ_TARGET(arrays) {
  const std::size_t claimed = imago::fuzz::take_number(input, 2);
  const std::size_t length = std::min(claimed, input.size());
  const std::string labels(input.substr(length));
  static_cast<void>(imago::data::ArrayImages::largest_class(imago::as_bytes(labels)));
  const auto images = imago::data::ArrayImages::open(std::string(input.substr(0, length)), imago::as_bytes(labels),
                                                     {"cat", "dog", "frog"});
  if (!images) return;
  for (std::size_t i = 0; i < std::min<std::size_t>(images->size(), 8); ++i) {
    const auto image = images->image(i);
    EXPECTS(image.rgb.size() == image.pixels() * 3, "an image's pixels match its size");
    static_cast<void>(images->label(i));
  }
}
