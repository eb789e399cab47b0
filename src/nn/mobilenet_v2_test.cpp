// SPDX-License-Identifier: Apache-2.0
// The architecture against torchvision's, layer for layer: tests/golden/mobilenet_v2.py made the numbers.
#include <gmock/gmock.h>

#include <cmath>

#include "model/architectures.hpp"
#include "nn/test_networks.hpp"

namespace imago::nn {
namespace {

using ::testing::FloatNear;
using ::testing::Pointwise;
using namespace testing;

constexpr int kSide = 64;
constexpr int kClasses = 5;

double wave(std::size_t k, std::size_t i) {
  return std::sin(0.1 * static_cast<double>(k) + 0.7 * static_cast<double>(i));
}

model::Weights filled(const model::Graph& graph) {
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

std::vector<float> logits(const char* padding) {
  const auto graph = model::build_graph(
      "mobilenet-v2", {.input = {3, kSide, kSide}, .classes = kClasses, .settings = {{"padding", padding}}});
  EXPECT_TRUE(graph) << graph.error().message;
  const auto learner = learner_of(*graph);
  EXPECT_TRUE(learner->set_weights(filled(*graph)));
  image::ImageBatch image{.n = 1, .channels = 3, .height = kSide, .width = kSide, .data = {}};
  for (std::size_t i = 0; i < image.item_size(); ++i) image.data.push_back(static_cast<float>(wave(3, i)));
  return learner->classify(image).value().data;
}

TEST(MobileNetV2, ComputesWhatTorchvisionDoes) {
  EXPECT_THAT(logits("torch"), Pointwise(FloatNear(2e-5F), {0.0139948, 0.405298, -0.45979, 0.63704, -0.287601}));
}

TEST(MobileNetV2, ComputesWhatTorchvisionDoesWithTensorFlowsPadding) {
  EXPECT_THAT(logits("tensorflow"), Pointwise(FloatNear(2e-5F), {0.0216042, 0.39273, -0.447329, 0.62971, -0.288356}));
}

}  // namespace
}  // namespace imago::nn
