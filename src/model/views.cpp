// SPDX-License-Identifier: Apache-2.0
#include "model/views.hpp"

#include <cstdlib>
#include <vector>

namespace imago::model {
namespace {

struct View {
  bool mirror = false;
  int shift = 0;  // down and right
  float weight = 1.0F;
};

std::vector<View> list(Views views) {
  switch (views) {
    case Views::None: return {{}};
    case Views::Flip: return {{false, 0, 0.5F}, {true, 0, 0.5F}};
    case Views::Multi:
      return {{false, 0, 0.25F}, {true, 0, 0.25F},    {false, 1, 0.125F},
              {true, 1, 0.125F}, {false, -1, 0.125F}, {true, -1, 0.125F}};
  }
  EXPECTS(false, "views without a list");
}

/// The place in [0, n) that i stands for when the row is reflected about its first and last pixel.
int reflect(int i, int n) {
  const int inside = std::abs(i);
  return inside < n ? inside : 2 * (n - 1) - inside;
}

/// `at(y, x)` says where a pixel of the new image comes from in the plane of the old one.
template <class At>
image::ImageBatch rearranged(const image::ImageBatch& batch, const At& at) {
  image::ImageBatch out = batch;
  const auto plane = static_cast<std::size_t>(batch.height) * static_cast<std::size_t>(batch.width);
  std::vector<std::size_t> from;
  for (int y = 0; y < batch.height; ++y) {
    for (int x = 0; x < batch.width; ++x) from.push_back(at(y, x));
  }
  for (std::size_t begin = 0; begin < batch.data.size(); begin += plane) {
    for (std::size_t i = 0; i < plane; ++i) out.data[begin + i] = batch.data[begin + from[i]];
  }
  return out;
}

std::size_t place(const image::ImageBatch& batch, int y, int x) {
  return static_cast<std::size_t>(y) * static_cast<std::size_t>(batch.width) + static_cast<std::size_t>(x);
}

}  // namespace

std::string_view to_string(Views views) noexcept {
  switch (views) {
    case Views::None: return "none";
    case Views::Flip: return "flip";
    case Views::Multi: return "multi";
  }
  return "none";
}

Result<Views> views_from(std::string_view name) {
  for (const auto views : {Views::None, Views::Flip, Views::Multi}) {
    if (to_string(views) == name) return views;
  }
  return fail(ErrorCode::InvalidArgument, "no views '{}': there are none, flip and multi", name);
}

image::ImageBatch mirrored(const image::ImageBatch& batch) {
  return rearranged(batch, [&](int y, int x) { return place(batch, y, batch.width - 1 - x); });
}

image::ImageBatch moved(const image::ImageBatch& batch, int down, int right) {
  EXPECTS(std::abs(down) < batch.height && std::abs(right) < batch.width, "moved by less than the image's size");
  return rearranged(batch, [&](int y, int x) {
    return place(batch, reflect(y - down, batch.height), reflect(x - right, batch.width));
  });
}

Result<Logits> mean_over_views(const image::ImageBatch& batch, Views views, const Classify& classify) {
  if (views == Views::None) return classify(batch);
  if (views == Views::Multi && (batch.height < 2 || batch.width < 2))
    return fail(ErrorCode::InvalidArgument, "images of {} x {} have no views moved by a pixel", batch.width,
                batch.height);
  Logits mean;
  for (const View& view : list(views)) {
    const image::ImageBatch shifted = view.shift == 0 ? batch : moved(batch, view.shift, view.shift);
    TRY(const auto logits, classify(view.mirror ? mirrored(shifted) : shifted));
    if (mean.data.empty()) mean = {logits.n, logits.classes, std::vector<float>(logits.data.size(), 0.0F)};
    EXPECTS(logits.data.size() == mean.data.size(), "every view of a batch has as many logits");
    for (std::size_t i = 0; i < mean.data.size(); ++i) mean.data[i] += view.weight * logits.data[i];
  }
  return mean;
}

Result<Logits> ManyViews::classify(const image::ImageBatch& batch) {
  return mean_over_views(batch, views_, [&](const image::ImageBatch& view) { return inner_.classify(view); });
}

}  // namespace imago::model
