// SPDX-License-Identifier: Apache-2.0
// The architecture against torchvision's, layer for layer: tests/golden/mobilenet_v2.py made the numbers.
#include <gmock/gmock.h>

#include "model/architectures.hpp"
#include "nn/test_networks.hpp"

namespace imago::nn {
namespace {

using ::testing::FloatNear;
using ::testing::Pointwise;
using namespace testing;

constexpr int kSide = 64;
constexpr int kClasses = 5;

std::vector<float> logits(const char* padding) {
  const auto graph = model::build_graph(
      "mobilenet-v2", {.input = {3, kSide, kSide}, .classes = kClasses, .settings = {{"padding", padding}}});
  EXPECT_TRUE(graph) << graph.error().message;
  const auto learner = learner_of(*graph);
  EXPECT_TRUE(learner->set_weights(filled(*graph)));
  return learner->classify(waves(kSide)).value().data;
}

TEST(MobileNetV2, ComputesWhatTorchvisionDoes) {
  EXPECT_THAT(logits("torch"), Pointwise(FloatNear(2e-5F), {0.0139948, 0.405298, -0.45979, 0.63704, -0.287601}));
}

TEST(MobileNetV2, ComputesWhatTorchvisionDoesWithTensorFlowsPadding) {
  EXPECT_THAT(logits("tensorflow"), Pointwise(FloatNear(2e-5F), {0.0216042, 0.39273, -0.447329, 0.62971, -0.288356}));
}

}  // namespace
}  // namespace imago::nn
