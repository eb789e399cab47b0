// SPDX-License-Identifier: Apache-2.0
// Random changes to training images, on 8-bit pixels before normalisation. What an image becomes depends on the seed,
// the epoch and its index alone, never on threads. docs/augmentation.md is for users.
#pragma once

#include <cstdint>
#include <span>

#include "base/error.hpp"
#include "base/rng.hpp"
#include "json/json.hpp"

namespace imago::data {

enum class Flip {
  None,
  Random,       ///< half of the images, drawn anew every epoch
  Alternating,  ///< random in epoch 0, then every image mirrored in every other epoch (airbench)
};

struct Augmentation {
  Flip flip = Flip::None;
  int crop_padding = 0;     ///< reflect-pad by so many pixels, cut out at random; 0: off
  double rotation = 0.0;    ///< at most this share of a full turn either way (Keras's unit)
  double zoom = 0.0;        ///< at most this share larger or smaller
  double brightness = 0.0;  ///< colour jitter, torchvision's meaning: factor in [1 - b, 1 + b]
  double contrast = 0.0;
  double saturation = 0.0;
  double hue = 0.0;                ///< likewise, at most this share of the colour circle either way
  int cutout = 0;                  ///< side of a square set to the mean colour; 0: off
  int randaugment_operations = 0;  ///< so many changes drawn from data/augment_policy.hpp's list; 0: off
  int randaugment_magnitude = 9;   ///< how strong those are, 0 to 30
  double mixup = 0.0;              ///< blend with another image, shares from Beta(mixup, mixup); 0: off
  double cutmix = 0.0;  ///< a rectangle from another image, area from Beta(cutmix, cutmix); 0: off. With both, a coin

  friend bool operator==(const Augmentation&, const Augmentation&) = default;
};

json::Value to_json(const Augmentation& augmentation);

/// The settings not named have their defaults. A rotation of 1 or more is in degrees (15 is 15 / 360 of a turn).
/// @error InvalidArgument naming the setting: it is unknown, of the wrong type or out of range.
Result<Augmentation> augmentation_from_json(const json::Value& value);

/// Where the pixels of a changed image come from, if flip, crop_padding and cutout are all that changes it.
struct Placement {
  bool mirror = false;
  int dx = 0, dy = 0;             ///< of the crop: pixel (x, y) was (x + dx, y + dy) or its reflection; mirrored then
  int cut_left = 0, cut_top = 0;  ///< of the cutout's square, which may stick out

  friend bool operator==(const Placement&, const Placement&) = default;
};

/// True when a Placement says all that these settings do to an image.
bool only_places(Augmentation augmentation);

/// What augment() draws for this image: whoever follows it elsewhere comes to the same pixels.
Placement place(const Augmentation& augmentation, int width, int height, std::uint64_t seed, int epoch,
                std::size_t index);

/// Writes the changed image to `out`. Both are interleaved RGB of width * height. Everything but mixup and cutmix,
/// which take two images: data/augment_mix.hpp.
void augment(std::span<const std::uint8_t> image, int width, int height, const Augmentation& augmentation,
             std::uint64_t seed, int epoch, std::size_t index, std::span<std::uint8_t> out);

}  // namespace imago::data
