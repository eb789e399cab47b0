// SPDX-License-Identifier: Apache-2.0
// What the tests of nn/ share: networks and batches small enough to know the answers.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "base/rng.hpp"
#include "nn/learner.hpp"

namespace imago::nn::testing {

/// BatchNorm, then a linear layer: every role but a convolution's.
inline model::Graph norm_linear() {
  model::Graph graph{"norm-linear", {3, 1, 1}, {}};
  graph.then("bn", model::BatchNorm2d{});
  graph.then("flatten", model::Flatten{});
  graph.then("fc", model::Linear{2});
  return graph;
}

inline Batch four_pixels(std::vector<int> labels) {
  const std::vector<float> data{0.5F, -1.0F, 0.25F, 1.5F, 0.75F, -0.5F, -0.25F, 0.5F, 1.0F, 2.0F, -1.5F, 0.0F};
  return {{.n = 4, .channels = 3, .height = 1, .width = 1, .data = data}, std::move(labels)};
}

inline model::Graph linear(int outputs) {
  model::Graph graph{"linear", {3, 1, 1}, {}};
  graph.then("flatten", model::Flatten{});
  graph.then("fc", model::Linear{outputs});
  return graph;
}

/// Convolution, ReLU, pool, dropout, linear: 3 classes on 3 x 8 x 8.
inline model::Graph small_cnn(float dropout) {
  model::Graph graph{"small-cnn", {3, 8, 8}, {}};
  graph.then("conv", model::Conv2d{.out_channels = 8, .padding = model::Padding::same(3)});
  graph.then("bn", model::BatchNorm2d{});
  graph.then("relu", model::Activate{});
  graph.then("pool", model::Pool2d{});
  graph.then("flatten", model::Flatten{});
  graph.then("dropout", model::Dropout{dropout});
  graph.then("fc", model::Linear{3});
  return graph;
}

inline image::ImageBatch noise(int n, int side, std::uint64_t seed) {
  image::ImageBatch images{.n = n, .channels = 3, .height = side, .width = side, .data = {}};
  Rng rng(seed);
  images.data.resize(static_cast<std::size_t>(n) * images.item_size());
  for (float& value : images.data) value = static_cast<float>(rng.uniform(-1.0, 1.0));
  return images;
}

inline Batch noise_batch(std::uint64_t seed) { return {noise(6, 8, seed), {0, 1, 2, 0, 1, 2}}; }

inline std::unique_ptr<Learner> learner_of(const model::Graph& graph, LearnerSettings settings = {}) {
  settings.threads = 1;
  auto made = make_learner(graph, settings);
  EXPECT_TRUE(made) << made.error().message;
  return std::move(*made);
}

inline LearnerSettings sgd(double momentum, bool nesterov, double weight_decay) {
  LearnerSettings settings;
  settings.optimizer = {
      .kind = OptimizerKind::Sgd, .momentum = momentum, .nesterov = nesterov, .weight_decay = weight_decay};
  return settings;
}

/// Numbers that are the same in any language: tests/golden/mobilenet_v2.py has them too.
inline double wave(std::size_t k, std::size_t i) {
  return std::sin(0.1 * static_cast<double>(k) + 0.7 * static_cast<double>(i));
}

/// Weights of such numbers, about as large as trained ones.
inline model::Weights filled(const model::Graph& graph) {
  model::Weights weights;
  const auto shapes = model::weight_shapes(graph).value();
  std::size_t k = 0;
  for (const auto& [name, shape] : shapes) {  // in order of name
    std::size_t size = 1;
    for (const auto side : shape) size *= static_cast<std::size_t>(side);
    const double fan_in = static_cast<double>(size) / static_cast<double>(shape.front());
    model::Tensor& tensor = weights[name] = {shape, std::vector<float>(size)};
    for (std::size_t i = 0; i < size; ++i) {
      double value = wave(k, i);
      if (shape.size() > 1) {
        value *= std::sqrt(8.0 / fan_in);
      } else if (name.ends_with("running_var")) {
        value = 1.0 + 0.5 * value;
      } else if (name.ends_with(".weight")) {
        value = 1.0 + 0.2 * value;
      } else {
        value *= 0.1;
      }
      tensor.data[i] = static_cast<float>(value);
    }
    ++k;
  }
  return weights;
}

/// An image of them.
inline image::ImageBatch waves(int side) {
  image::ImageBatch image{.n = 1, .channels = 3, .height = side, .width = side, .data = {}};
  for (std::size_t i = 0; i < image.item_size(); ++i) image.data.push_back(static_cast<float>(wave(3, i)));
  return image;
}

}  // namespace imago::nn::testing
