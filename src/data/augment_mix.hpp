// SPDX-License-Identifier: Apache-2.0
// Mixup and CutMix: training on two images at once, with both their classes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "data/augment.hpp"
#include "data/packed.hpp"

namespace imago::data {

/// How an image is joined with a partner.
struct Mix {
  double share = 1.0;  ///< of the image itself, in its pixels (mixup) or its area (cutmix), and so in the loss
  bool cut = false;    ///< false: blended pixel by pixel; true: the rectangle below is the partner's
  int left = 0, top = 0, right = 0, bottom = 0;  ///< right and bottom are outside
};

/// What chance chose for this image; nothing when both are off. With both on, a coin decides between them.
///
/// mixup: share ~ Beta(alpha, alpha) (Zhang, Cisse, Dauphin, Lopez-Paz, "mixup: Beyond empirical risk minimization",
/// ICLR 2018). cutmix: area ~ Beta(alpha, alpha), a rectangle of the image's proportions about a uniform centre, cut at
/// the border, `share` being what is left of the image (Yun et al., "CutMix", ICCV 2019). One draw an image, where the
/// papers' code draws once a batch.
std::optional<Mix> draw_mix(const Augmentation& augmentation, int width, int height, std::uint64_t seed, int epoch,
                            std::size_t index);

/// image = share * image + (1 - share) * partner, rounded; or the partner's rectangle. Interleaved RGB, the same size.
void mix(const Mix& how, int width, std::span<const std::uint8_t> partner, std::span<std::uint8_t> image);

/// Mixes every image of a batch with the one before it, as they were, the first with the last (torchvision's "roll").
/// @param images The batch's images, one after the other. @param mixes As many.
void mix_batch(std::span<const Mix> mixes, int width, int height, std::span<std::uint8_t> images);

/// The images of a batch, changed and then mixed: what training sees. Resizes `pixels` to hold them one after the
/// other.
/// @return How each was mixed with its partner; empty when the settings have no mixing.
std::vector<Mix> augment_and_mix(const PackedSplit& split, std::span<const std::size_t> indices,
                                 const Augmentation& augmentation, std::uint64_t seed, int epoch,
                                 std::vector<std::uint8_t>& pixels);

/// The place in a batch of n of the partner of the image at `place`.
constexpr std::size_t partner_of(std::size_t place, std::size_t n) { return (place + n - 1) % n; }

/// A draw from Beta(alpha, alpha), in [0, 1]. @param alpha Above 0.
double draw_beta(double alpha, Rng& rng);

}  // namespace imago::data
