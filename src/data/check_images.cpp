// SPDX-License-Identifier: Apache-2.0
#include "data/check_images.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <thread>
#include <unordered_map>

#include "base/files.hpp"
#include "data/remarks.hpp"
#include "image/conversions.hpp"
#include "image/preprocess.hpp"

namespace imago::data {
namespace {

/// A large JPEG is decoded at a reduced scale (decode_for: twice what it is told), but not below this: ample for the
/// measures and the fingerprint.
constexpr int kLeastSide = 128;

/// Sum and sum of squares.
struct Moments {
  double sum = 0, squares = 0;
  void add(double value) {
    sum += value;
    squares += value * value;
  }
  [[nodiscard]] double mean(std::size_t n) const { return sum / static_cast<double>(n); }
  [[nodiscard]] double deviation(std::size_t n) const {
    return std::sqrt(std::max(0.0, squares / static_cast<double>(n) - mean(n) * mean(n)));
  }
};

void measure(const image::Image& image, ImageFacts& facts) {
  std::array<Moments, 3> channels;
  Moments luma;
  int difference = 0;
  for (std::size_t i = 0; i < image.rgb.size(); i += 3) {
    const int r = image.rgb[i];
    const int g = image.rgb[i + 1];
    const int b = image.rgb[i + 2];
    channels[0].add(r);
    channels[1].add(g);
    channels[2].add(b);
    luma.add(0.299 * r + 0.587 * g + 0.114 * b);
    difference = std::max(difference, std::max({r, g, b}) - std::min({r, g, b}));
  }
  facts.brightness = luma.mean(image.pixels());
  facts.contrast = luma.deviation(image.pixels());
  facts.gray = difference <= kGrayDifference;
  facts.blank = std::all_of(channels.begin(), channels.end(), [&](const Moments& channel) {
    return channel.deviation(image.pixels()) <= kBlankDeviation;
  });
}

/// What is told by the header.
Result<void> look_at_file(const Manifest& manifest, Bytes bytes, ImageFacts& facts) {
  TRY(const auto found, image::conversions(bytes));
  facts.format = found.format;
  facts.cmyk = found.cmyk;
  facts.alpha = found.alpha;
  for (const std::size_t i : facts.entries) {
    if ((remarks_on(manifest.entries[i].path, bytes) & kOtherType) != 0) facts.misnamed.push_back(i);
  }
  return {};
}

Result<void> look_at(const Repository& repository, const Manifest& manifest, ImageFacts& facts) {
  TRY(const auto bytes, repository.read_object(manifest.entries[facts.entries[0]].sha256));
  TRY(auto image, image::decode_for({.width = kLeastSide / 2, .height = kLeastSide / 2}, as_bytes(bytes)));
  TRY_VOID(look_at_file(manifest, as_bytes(bytes), facts));
  measure(image, facts);
  TRY(facts.print, fingerprint(std::move(image)));
  return {};
}

std::vector<ImageFacts> by_content(const Manifest& manifest) {
  std::vector<ImageFacts> contents;
  std::unordered_map<std::string_view, std::size_t> known;
  for (std::size_t i = 0; i < manifest.entries.size(); ++i) {
    const auto [at, is_new] = known.emplace(manifest.entries[i].sha256, contents.size());
    if (is_new) contents.emplace_back();
    contents[at->second].entries.push_back(i);
  }
  return contents;
}

}  // namespace

Result<std::vector<ImageFacts>> look_at_images(const Repository& repository, const Manifest& manifest,
                                               const OnCheck& on_progress, const std::atomic<bool>* stop) {
  constexpr std::size_t kStride = 32;
  auto contents = by_content(manifest);
  std::atomic<std::size_t> next{0};
  const auto work = [&](bool reports) {
    for (std::size_t first = next.fetch_add(kStride); first < contents.size(); first = next.fetch_add(kStride)) {
      if (stop != nullptr && *stop) return;
      if (reports && on_progress) on_progress("looking at images", first, contents.size());
      for (std::size_t i = first; i < std::min(first + kStride, contents.size()); ++i) {
        ImageFacts& facts = contents[i];
        if (auto looked = look_at(repository, manifest, facts); !looked)
          facts.damage = std::move(looked.error().message);
      }
    }
  };
  std::vector<std::thread> helpers;
  for (unsigned i = 1; i < std::max(1U, std::thread::hardware_concurrency()); ++i) helpers.emplace_back(work, false);
  work(true);
  for (auto& helper : helpers) helper.join();
  if (stop != nullptr && *stop) return fail(ErrorCode::Cancelled, "stopped before all images were looked at");
  return contents;
}

}  // namespace imago::data
