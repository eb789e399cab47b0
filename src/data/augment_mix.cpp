// SPDX-License-Identifier: Apache-2.0
#include "data/augment_mix.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace imago::data {
namespace {

constexpr std::uint64_t kMixStream = 0x6d69786d69786d69ULL;  // apart from the other changes of the same image

/// The logarithm of a draw from Gamma(alpha): small alphas give numbers too small to be told from 0.
/// Marsaglia and Tsang, "A simple method for generating gamma variables", ACM TOMS 26 (2000); for alpha below 1 their
/// section 6.
double draw_log_gamma(double alpha, Rng& rng) {
  if (alpha < 1) {
    const double boosted = draw_log_gamma(alpha + 1, rng);
    return boosted + std::log(1.0 - rng.uniform()) / alpha;
  }
  const double d = alpha - 1.0 / 3.0;
  const double c = 1.0 / std::sqrt(9.0 * d);
  for (;;) {
    const double x = rng.normal();
    const double v = std::pow(1.0 + c * x, 3.0);
    if (v > 0 && std::log(1.0 - rng.uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return std::log(d * v);
  }
}

Mix draw_cut(double kept, int width, int height, Rng& rng) {
  const double half = 0.5 * std::sqrt(1.0 - kept);
  const int x = static_cast<int>(rng.below(static_cast<std::uint64_t>(width)));
  const int y = static_cast<int>(rng.below(static_cast<std::uint64_t>(height)));
  const int half_width = static_cast<int>(half * width);
  const int half_height = static_cast<int>(half * height);
  Mix mix{.cut = true,
          .left = std::max(x - half_width, 0),
          .top = std::max(y - half_height, 0),
          .right = std::min(x + half_width, width),
          .bottom = std::min(y + half_height, height)};
  const double area = static_cast<double>(mix.right - mix.left) * (mix.bottom - mix.top);
  mix.share = 1.0 - area / (static_cast<double>(width) * height);
  return mix;
}

}  // namespace

double draw_beta(double alpha, Rng& rng) {
  const double a = draw_log_gamma(alpha, rng);
  const double b = draw_log_gamma(alpha, rng);
  return 1.0 / (1.0 + std::exp(b - a));
}

std::optional<Mix> draw_mix(const Augmentation& augmentation, int width, int height, std::uint64_t seed, int epoch,
                            std::size_t index) {
  if (augmentation.mixup <= 0 && augmentation.cutmix <= 0) return std::nullopt;
  auto rng = Rng::for_item(seed ^ kMixStream, static_cast<std::uint64_t>(epoch), index);
  const bool coin = rng.chance(0.5);
  const bool cut = augmentation.cutmix > 0 && (augmentation.mixup <= 0 || coin);
  const double share = draw_beta(cut ? augmentation.cutmix : augmentation.mixup, rng);
  return cut ? draw_cut(share, width, height, rng) : Mix{.share = share};
}

void mix(const Mix& how, int width, std::span<const std::uint8_t> partner, std::span<std::uint8_t> image) {
  EXPECTS(partner.size() == image.size(), "mix: two images of one size");
  if (how.cut) {
    for (int y = how.top; y < how.bottom; ++y) {
      const auto from =
          (static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(how.left)) * 3;
      std::memcpy(&image[from], &partner[from], static_cast<std::size_t>(how.right - how.left) * 3);
    }
    return;
  }
  // In 1 / 65536: integers go many at a time through any processor.
  const auto own = static_cast<std::uint32_t>(std::lround(how.share * 65536));
  const std::uint32_t other = 65536 - own;
  for (std::size_t i = 0; i < image.size(); ++i)
    image[i] = static_cast<std::uint8_t>((image[i] * own + partner[i] * other + 32768) >> 16);
}

void mix_batch(std::span<const Mix> mixes, int width, int height, std::span<std::uint8_t> images) {
  const auto bytes = static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3;
  EXPECTS(images.size() == mixes.size() * bytes && !mixes.empty(), "mix_batch: one image for every mix");
  const auto image = [&](std::size_t i) { return images.subspan(i * bytes, bytes); };
  // From the last to the first, so that every partner is still as it was; only the first needs a copy of the last.
  const auto last = image(mixes.size() - 1);
  const std::vector<std::uint8_t> kept(last.begin(), last.end());
  for (std::size_t i = mixes.size() - 1; i > 0; --i) mix(mixes[i], width, image(i - 1), image(i));
  mix(mixes[0], width, kept, image(0));
}

std::vector<Mix> augment_and_mix(const PackedSplit& split, std::span<const std::size_t> indices,
                                 const Augmentation& augmentation, std::uint64_t seed, int epoch,
                                 std::vector<std::uint8_t>& pixels) {
  EXPECTS(!indices.empty(), "augment_and_mix: a batch has an image");
  const std::size_t bytes = split.image(indices[0]).size();
  pixels.resize(indices.size() * bytes);
  std::vector<Mix> mixes;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    augment(split.image(indices[i]), split.width(), split.height(), augmentation, seed, epoch, indices[i],
            std::span(pixels).subspan(i * bytes, bytes));
    if (const auto mix = draw_mix(augmentation, split.width(), split.height(), seed, epoch, indices[i]))
      mixes.push_back(*mix);
  }
  if (!mixes.empty()) mix_batch(mixes, split.width(), split.height(), pixels);
  return mixes;
}

}  // namespace imago::data
