// SPDX-License-Identifier: Apache-2.0
#include "data/perceptual_hash.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "image/preprocess.hpp"

namespace imago::data {
namespace {

constexpr int kFrequencies = 8;
using Table = std::array<std::array<float, kHashSide>, kFrequencies>;

/// Row u - 1 is cos(pi (2 x + 1) u / 64). The DCT's scale does not matter to the order of its coefficients.
const Table& cosines() {
  static const Table table = [] {
    Table made{};
    for (int u = 1; u <= kFrequencies; ++u) {
      for (int x = 0; x < kHashSide; ++x)
        made[static_cast<std::size_t>(u - 1)][static_cast<std::size_t>(x)] =
            static_cast<float>(std::cos(std::numbers::pi * (2 * x + 1) * u / (2.0 * kHashSide)));
    }
    return made;
  }();
  return table;
}

/// The mean of each block of 2 x 2 pixels.
void halve(const image::Image& image, Fingerprint& into) {
  constexpr std::size_t kRow = std::size_t{kHashSide} * 3;
  for (std::size_t y = 0; y < Fingerprint::kSide; ++y) {
    for (std::size_t x = 0; x < Fingerprint::kSide; ++x) {
      for (std::size_t c = 0; c < 3; ++c) {
        const std::size_t at = 2 * y * kRow + 2 * x * 3 + c;
        const int sum = image.rgb[at] + image.rgb[at + 3] + image.rgb[at + kRow] + image.rgb[at + kRow + 3];
        into.thumbnail[(y * Fingerprint::kSide + x) * 3 + c] = static_cast<std::uint8_t>((sum + 2) / 4);
      }
    }
  }
}

/// Pearson's, from sums.
template <class Sum>
struct Correlation {
  Sum n{}, x{}, y{}, xx{}, yy{}, xy{};
  void add(Sum a, Sum b) {
    n += 1;
    x += a;
    y += b;
    xx += a * a;
    yy += b * b;
    xy += a * b;
  }
  [[nodiscard]] double value() const {
    const auto variances = static_cast<double>(n * xx - x * x) * static_cast<double>(n * yy - y * y);
    return variances <= 0 ? 0 : static_cast<double>(n * xy - x * y) / std::sqrt(variances);
  }
};

constexpr int kSide = Fingerprint::kSide;
using Detail = std::array<float, std::size_t{kSide} * kSide * 3>;

std::size_t place(int x, int y, int channel) {
  return (static_cast<std::size_t>(y) * kSide + static_cast<std::size_t>(x)) * 3 + static_cast<std::size_t>(channel);
}

/// The thumbnail without the mean around each pixel; beyond the edge its outermost pixels go on.
Detail detail(const Fingerprint& print) {
  constexpr int kReach = 2;
  const auto along = [](const auto& from, int dx, int dy) {
    Detail sums{};
    for (int y = 0; y < kSide; ++y) {
      for (int x = 0; x < kSide; ++x) {
        for (int step = -kReach; step <= kReach; ++step) {
          const int at_x = std::clamp(x + step * dx, 0, kSide - 1);
          const int at_y = std::clamp(y + step * dy, 0, kSide - 1);
          for (int c = 0; c < 3; ++c) sums[place(x, y, c)] += static_cast<float>(from[place(at_x, at_y, c)]);
        }
      }
    }
    return sums;
  };
  Detail made = along(along(print.thumbnail, 1, 0), 0, 1);
  constexpr float kPixels = (2 * kReach + 1) * (2 * kReach + 1);
  for (std::size_t i = 0; i < made.size(); ++i) made[i] = static_cast<float>(print.thumbnail[i]) - made[i] / kPixels;
  return made;
}

double shifted_similarity(const Detail& a, const Detail& b, int dx, int dy) {
  Correlation<double> sums;
  for (int y = 1; y < kSide - 1; ++y) {
    for (int x = 1; x < kSide - 1; ++x) {
      for (int c = 0; c < 3; ++c)
        sums.add(static_cast<double>(a[place(x, y, c)]), static_cast<double>(b[place(x + dx, y + dy, c)]));
    }
  }
  return sums.value();
}

}  // namespace

std::uint64_t perceptual_hash(std::span<const float> gray) {
  EXPECTS(gray.size() == std::size_t{kHashSide} * kHashSide, "32 x 32 brightnesses");
  const Table& table = cosines();
  std::array<float, std::size_t{kFrequencies} * kFrequencies> coefficients{};
  for (std::size_t y = 0; y < kHashSide; ++y) {
    for (std::size_t u = 0; u < kFrequencies; ++u) {
      float across = 0;
      for (std::size_t x = 0; x < kHashSide; ++x) across += gray[y * kHashSide + x] * table[u][x];
      for (std::size_t v = 0; v < kFrequencies; ++v) coefficients[v * kFrequencies + u] += across * table[v][y];
    }
  }
  auto sorted = coefficients;
  std::sort(sorted.begin(), sorted.end());
  const float median = (sorted[sorted.size() / 2 - 1] + sorted[sorted.size() / 2]) / 2;
  std::uint64_t hash = 0;
  for (std::size_t i = 0; i < coefficients.size(); ++i) {
    if (coefficients[i] > median) hash |= std::uint64_t{1} << i;
  }
  return hash;
}

Result<Fingerprint> fingerprint(image::Image image) {
  const image::Preprocess square{.width = kHashSide, .height = kHashSide};
  TRY(const auto small, image::resize(std::move(image), square));
  std::array<float, std::size_t{kHashSide} * kHashSide> gray{};
  for (std::size_t i = 0; i < gray.size(); ++i) {
    const auto* rgb = &small.rgb[i * 3];
    const auto channel = [&](int c) { return static_cast<float>(rgb[c]); };
    gray[i] = 0.299F * channel(0) + 0.587F * channel(1) + 0.114F * channel(2);
  }
  Fingerprint made{.hash = perceptual_hash(gray)};
  halve(small, made);
  return made;
}

double similarity(const Fingerprint& a, const Fingerprint& b) {
  Correlation<std::int64_t> sums;
  for (std::size_t i = 0; i < a.thumbnail.size(); ++i) sums.add(a.thumbnail[i], b.thumbnail[i]);
  return sums.value();
}

double detail_similarity(const Fingerprint& a, const Fingerprint& b) {
  const Detail left = detail(a);
  const Detail right = detail(b);
  double best = -1.0;
  for (const int dy : {-1, 0, 1}) {
    for (const int dx : {-1, 0, 1}) best = std::max(best, shifted_similarity(left, right, dx, dy));
  }
  return best;
}

bool is_blank(const Fingerprint& print) {
  std::array<std::int64_t, 3> sum{};
  std::array<std::int64_t, 3> squares{};
  for (std::size_t i = 0; i < print.thumbnail.size(); ++i) {
    sum[i % 3] += print.thumbnail[i];
    squares[i % 3] += print.thumbnail[i] * print.thumbnail[i];
  }
  constexpr double kPixels = Fingerprint::kSide * Fingerprint::kSide;
  for (std::size_t c = 0; c < 3; ++c) {
    const double mean = static_cast<double>(sum[c]) / kPixels;
    if (static_cast<double>(squares[c]) / kPixels - mean * mean > kBlankDeviation * kBlankDeviation) return false;
  }
  return true;
}

}  // namespace imago::data
