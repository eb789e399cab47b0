// SPDX-License-Identifier: Apache-2.0
#include "data/shapes.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numbers>
#include <optional>
#include <thread>
#include <vector>

#include "base/rng.hpp"
#include "data/split.hpp"
#include "data/staging.hpp"
#include "image/encode.hpp"

namespace imago::data {
namespace {

using Colour = std::array<double, 3>;

constexpr int kSamples = 3;  // a side of a pixel: nine samples each, for smooth edges

/// A place, size and turn: takes a point of the picture to the figure's own coordinates, in which it fills the unit
/// circle.
struct Frame {
  double x = 0, y = 0, radius = 1, cosine = 1, sine = 0;
  [[nodiscard]] std::pair<double, double> local(double px, double py) const {
    const double dx = (px - x) / radius;
    const double dy = (py - y) / radius;
    return {cosine * dx + sine * dy, cosine * dy - sine * dx};
  }
};

/// What varies within a class.
struct Figure {
  int label = 0;
  Frame frame;
  double width = 0;    // of arms, rings, bands: 0 thin, 1 thick
  double repeats = 0;  // of textures and turns
  bool round = false;  // the outline of a texture
};

double fraction(double value) { return value - std::floor(value); }

bool in_triangle(double u, double v) {
  constexpr double kSlope = std::numbers::sqrt3;
  return v <= 0.5 && kSlope * u - v <= 1 && -kSlope * u - v <= 1;
}

bool in_star(double u, double v) {
  // Five points: fold the plane into one half of a point, whose edge is a straight line from tip to notch.
  constexpr double kTurn = 2 * std::numbers::pi / 5;
  constexpr double kNotch = 0.42;
  const double angle = std::abs(fraction(std::atan2(u, -v) / kTurn + 0.5) - 0.5) * kTurn;
  const double r = std::hypot(u, v);
  const double x = r * std::cos(angle);
  const double y = r * std::sin(angle);
  const double notch_x = kNotch * std::cos(kTurn / 2);
  const double notch_y = kNotch * std::sin(kTurn / 2);
  return (notch_x - 1) * y - notch_y * (x - 1) >= 0;
}

bool in_outline(const Figure& figure, double u, double v) {
  return figure.round ? u * u + v * v <= 1 : std::max(std::abs(u), std::abs(v)) <= 0.85;
}

bool inside(const Figure& figure, double u, double v) {
  const double r = std::hypot(u, v);
  if (r > 1.25) return false;
  switch (figure.label) {
    case 0:
      return in_outline(figure, u, v) &&
             (static_cast<int>(std::floor(u * figure.repeats) + std::floor(v * figure.repeats)) & 1) != 0;
    case 1: return r <= 0.92;
    case 2: {
      const double arm = 0.2 + 0.15 * figure.width;
      return std::max(std::abs(u), std::abs(v)) <= 1 && std::min(std::abs(u), std::abs(v)) <= arm;
    }
    case 3:
      return in_outline(figure, u, v) && std::hypot(fraction(u * figure.repeats) - 0.5,
                                                    fraction(v * figure.repeats) - 0.5) <= 0.3 + 0.08 * figure.width;
    case 4: return r <= 1 && r >= 0.5 + 0.2 * figure.width;
    case 5:
      return r <= 1 &&
             fraction(r * figure.repeats + std::atan2(v, u) / (2 * std::numbers::pi)) <= 0.4 + 0.15 * figure.width;
    case 6: return std::max(std::abs(u), std::abs(v)) <= 0.82;
    case 7: return in_star(u, v);
    case 8: return in_outline(figure, u, v) && fraction(u * figure.repeats) <= 0.42 + 0.16 * figure.width;
    default: return in_triangle(u, v);
  }
}

Colour random_colour(Rng& rng) { return {rng.uniform(0, 255), rng.uniform(0, 255), rng.uniform(0, 255)}; }

/// A colour that the eye can tell from `other`.
Colour contrasting_colour(Rng& rng, const Colour& other) {
  for (;;) {
    const Colour colour = random_colour(rng);
    const double luma =
        0.299 * (colour[0] - other[0]) + 0.587 * (colour[1] - other[1]) + 0.114 * (colour[2] - other[2]);
    if (std::abs(luma) > 60) return colour;
  }
}

Frame random_frame(Rng& rng, double least_radius, double most_radius, double margin) {
  Frame frame;
  frame.radius = rng.uniform(least_radius, most_radius);
  const double free = std::max(0.0, 0.5 - margin * frame.radius);
  frame.x = 0.5 + rng.uniform(-free, free);
  frame.y = 0.5 + rng.uniform(-free, free);
  const double angle = rng.uniform(0, 2 * std::numbers::pi);
  frame.cosine = std::cos(angle);
  frame.sine = std::sin(angle);
  return frame;
}

Figure random_figure(Rng& rng, int label) {
  Figure figure;
  figure.label = label;
  figure.frame = random_frame(rng, 0.27, 0.46, 0.85);
  figure.width = rng.uniform();
  figure.round = rng.chance(0.5);
  figure.repeats = label == 5 ? rng.uniform(1.6, 2.3) : rng.uniform(1.4, 2.2);
  return figure;
}

/// A speck of clutter: a small ellipse or bar.
struct Speck {
  Frame frame;
  double flatness = 1;
  Colour colour{};
  [[nodiscard]] bool covers(double x, double y) const {
    const auto [u, v] = frame.local(x, y);
    return u * u + v * v * flatness <= 1;
  }
};

struct Scene {
  Colour ground{}, ground_far{}, paint{};
  Frame slope;  // along which the ground changes colour
  std::vector<Speck> behind, before;
  Figure figure;
  double noise = 0;

  [[nodiscard]] Colour at(double x, double y) const {
    for (const auto& speck : before)
      if (speck.covers(x, y)) return speck.colour;
    const auto [u, v] = figure.frame.local(x, y);
    if (inside(figure, u, v)) return paint;
    for (const auto& speck : behind)
      if (speck.covers(x, y)) return speck.colour;
    const double far = std::clamp(slope.local(x, y).first * 0.5 + 0.5, 0.0, 1.0);
    Colour mixed{};
    for (std::size_t c = 0; c < 3; ++c) mixed[c] = ground[c] + (ground_far[c] - ground[c]) * far;
    return mixed;
  }
};

std::vector<Speck> random_specks(Rng& rng, std::uint64_t most) {
  std::vector<Speck> specks(rng.below(most + 1));
  for (auto& speck : specks) {
    speck.frame = random_frame(rng, 0.04, 0.12, 0);
    speck.flatness = rng.uniform(1, 12);
    speck.colour = random_colour(rng);
  }
  return specks;
}

Scene random_scene(Rng& rng, int label) {
  Scene scene;
  scene.figure = random_figure(rng, label);
  scene.ground = random_colour(rng);
  scene.paint = contrasting_colour(rng, scene.ground);
  for (std::size_t c = 0; c < 3; ++c)
    scene.ground_far[c] = std::clamp(scene.ground[c] + rng.uniform(-40, 40), 0.0, 255.0);
  scene.slope = random_frame(rng, 0.5, 0.8, 0);
  scene.behind = random_specks(rng, 6);
  scene.before = random_specks(rng, 2);
  scene.noise = rng.uniform(2, 14);
  return scene;
}

/// The rows of one split, before their content is known.
void plan(std::vector<Entry>& entries, Split split, int images) {
  for (int i = 0; i < images; ++i) {
    Entry entry;
    entry.label = i % static_cast<int>(kShapeLabels.size());
    entry.path =
        fmt::format("{}/{}/{:05}.png", to_string(split), kShapeLabels[static_cast<std::size_t>(entry.label)], i);
    entry.split = split;
    entry.source = "drawn";
    entries.push_back(std::move(entry));
  }
}

/// Draws all entries, from several threads.
class Painting {
 public:
  Painting(Staging& staging, std::vector<Entry>& entries, const ShapesRequest& request, const std::atomic<bool>* stop)
      : staging_(staging), entries_(entries), request_(request), stop_(stop) {}

  Result<void> run(const std::function<void(std::size_t, std::size_t)>& on_progress) {
    std::vector<std::thread> helpers;
    for (unsigned i = 1; i < std::max(1U, std::thread::hardware_concurrency()); ++i)
      helpers.emplace_back([this] { work({}); });
    work(on_progress);
    for (auto& helper : helpers) helper.join();
    if (failure_) return tl::unexpected<Error>(std::move(*failure_));
    return {};
  }

 private:
  void work(const std::function<void(std::size_t, std::size_t)>& on_progress) {
    for (std::size_t i = next_++; i < entries_.size(); i = next_++) {
      if (on_progress && i % 32 == 0) on_progress(i, entries_.size());
      if (auto drawn = draw(i); !drawn) {
        const std::scoped_lock lock(mutex_);
        if (!failure_) failure_ = std::move(drawn.error());
        next_ = entries_.size();
      }
    }
  }

  Result<void> draw(std::size_t i) {
    if (stop_ != nullptr && stop_->load(std::memory_order_relaxed))
      return fail(ErrorCode::Cancelled, "drawing stopped: nothing was changed");
    auto& entry = entries_[i];
    const auto seed = Rng::for_item(request_.seed, static_cast<std::uint64_t>(entry.split), i).next();
    const auto image = draw_shape(entry.label, request_.side, seed);
    TRY(const auto png, image::encode_png(image));
    TRY(entry.sha256, staging_.put(png));
    entry.width = image.width;
    entry.height = image.height;
    return {};
  }

  Staging& staging_;
  std::vector<Entry>& entries_;
  const ShapesRequest& request_;
  const std::atomic<bool>* stop_;
  std::atomic<std::size_t> next_{0};
  std::mutex mutex_;  // guards failure_
  std::optional<Error> failure_;
};

Result<void> check_request(const ShapesRequest& request) {
  TRY_VOID(check_name(request.name));
  constexpr int kMost = 10'000'000;
  const auto classes = static_cast<int>(kShapeLabels.size());
  if (request.train < classes || request.train > kMost || request.test < 0 || request.test > kMost)
    return fail(ErrorCode::InvalidArgument, "{} training and {} test images: from {} to {} and from 0 to {}",
                request.train, request.test, classes, kMost, kMost);
  if (request.side < 16 || request.side > 512)
    return fail(ErrorCode::InvalidArgument, "side of {} pixels: from 16 to 512", request.side);
  if (!(request.validation >= 0 && request.validation < 1))
    return fail(ErrorCode::InvalidArgument, "validation ratio {}: from 0 to below 1", request.validation);
  return {};
}

}  // namespace

image::Image draw_shape(int label, int side, std::uint64_t seed) {
  EXPECTS(label >= 0 && label < static_cast<int>(kShapeLabels.size()) && side > 0,
          "a shape's label and a positive side");
  Rng rng(seed);
  const Scene scene = random_scene(rng, label);
  image::Image image{side, side, {}};
  image.rgb.reserve(image.pixels() * 3);
  constexpr double kShare = 1.0 / (kSamples * kSamples);
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      Colour sum{};
      for (int sample = 0; sample < kSamples * kSamples; ++sample) {
        const double px = (x + (sample % kSamples + 0.5) / kSamples) / side;
        const double py = (y + (std::floor(static_cast<double>(sample) / kSamples) + 0.5) / kSamples) / side;
        const Colour colour = scene.at(px, py);
        for (std::size_t c = 0; c < 3; ++c) sum[c] += colour[c] * kShare;
      }
      for (const double value : sum)
        image.rgb.push_back(
            static_cast<std::uint8_t>(std::lround(std::clamp(value + scene.noise * rng.normal(), 0.0, 255.0))));
    }
  }
  return image;
}

Result<ImportReport> generate_shapes(Repository& repository, const ShapesRequest& request,
                                     const std::function<void(std::size_t, std::size_t)>& on_progress,
                                     const std::atomic<bool>* stop) {
  TRY_VOID(check_request(request));
  TRY(auto staging, Staging::open(repository));
  Manifest manifest{request.name, {kShapeLabels.begin(), kShapeLabels.end()}, {}, {}};
  plan(manifest.entries, Split::Train, request.train);
  plan(manifest.entries, Split::Test, request.test);
  TRY_VOID(Painting(staging, manifest.entries, request, stop).run(on_progress));
  std::sort(manifest.entries.begin(), manifest.entries.end(),
            [](const Entry& a, const Entry& b) { return a.path < b.path; });
  // Without test images asked for, none are to be cut off either.
  assign_splits(manifest.entries, {request.validation, 0.0}, request.seed);
  if (on_progress) on_progress(manifest.entries.size(), manifest.entries.size());
  ImportReport report;
  TRY(report.version, staging.publish(manifest, {}, report.was_there));
  report.kept = manifest.entries.size();
  report.counts = count_images(manifest);
  report.labels = std::move(manifest.labels);
  return report;
}

}  // namespace imago::data
