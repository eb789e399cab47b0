// SPDX-License-Identifier: Apache-2.0
// From pixels to network input: the one code path that training, evaluation and serving share. Its settings are part of
// the model package, so a server has no preprocessing of its own.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/error.hpp"
#include "image/decode.hpp"
#include "image/image.hpp"
#include "json/json.hpp"

namespace imago::image {

/// How an image of another shape becomes width x height.
enum class Fit {
  Stretch,     ///< each axis on its own
  CropCentre,  ///< keep the aspect ratio, fill, cut what sticks out
};

struct Preprocess {
  int width = 32;
  int height = 32;
  Fit fit = Fit::Stretch;
  /// out = (pixel / 255 - mean) / stddev, per channel R, G, B.
  std::array<float, 3> mean{0.0F, 0.0F, 0.0F};
  std::array<float, 3> stddev{1.0F, 1.0F, 1.0F};

  friend bool operator==(const Preprocess&, const Preprocess&) = default;
};

json::Value to_json(const Preprocess& preprocess);
/// InvalidArgument naming the field: sides in [1, 4096], stddev > 0, all finite.
Result<Preprocess> preprocess_from_json(const json::Value& value);

/// The first half: resize to width x height, still 8 bit. Area averaging when shrinking, bilinear when growing
/// (OpenCV INTER_AREA and INTER_LINEAR); an image of the right size is returned as it is. This is what the packed cache
/// stores.
Result<Image> resize(Image image, const Preprocess& preprocess);

/// Decodes at the reduced scale, if any, that this model's resize starts from. Training's cache, evaluation and serving
/// all decode through here (a test looks): another scale before the resize would give slightly other pixels. Errors as
/// decode.
Result<Image> decode_for(const Preprocess& preprocess, Bytes encoded, const DecodeLimits& limits = {});

/// Encoded bytes to width x height: decode_for, then resize.
Result<Image> decode_and_resize(Bytes encoded, const Preprocess& preprocess, const DecodeLimits& limits = {});

/// The second half: 8-bit interleaved RGB [height * width * 3] to float planes [3 * height * width].
/// Pure, exact to the bit wherever it is called. Both spans must have width * height * 3 elements.
void normalize(std::span<const std::uint8_t> rgb, const Preprocess& preprocess, std::span<float> planes);

}  // namespace imago::image
