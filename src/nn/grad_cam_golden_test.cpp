// SPDX-License-Identifier: Apache-2.0
// Grad-CAM against pytorch-grad-cam 1.5.7 on the same weights, every class: tests/golden/grad_cam.py made the numbers.
#include <gmock/gmock.h>

#include <algorithm>

#include "base/source_dir.hpp"
#include "json/json.hpp"
#include "model/architectures.hpp"
#include "nn/explain.hpp"
#include "nn/test_networks.hpp"

namespace imago::nn {
namespace {

using ::testing::FloatNear;
using ::testing::Pointwise;
using namespace testing;

const json::Value& golden(std::string_view architecture) {
  static const json::Value value = json::read(source_dir() + "/tests/golden/grad_cam.json").value();
  return *std::ranges::find(value["cases"], architecture, [](const json::Value& one) { return one["architecture"]; });
}

void expect_its_maps(std::string_view architecture, json::Value settings) {
  const json::Value& expected = golden(architecture);
  const int side = expected["side"], classes = expected["classes"];
  const auto graph =
      model::build_graph(architecture, {.input = {3, side, side}, .classes = classes, .settings = std::move(settings)});
  ASSERT_TRUE(graph) << graph.error().message;
  const auto weights = filled(*graph);
  int spoke = 0;
  for (int k = 0; k < classes; ++k) {
    const auto map = grad_cam(*graph, weights, waves(side), k);
    ASSERT_TRUE(map) << map.error().message;
    const auto theirs = expected["heat_maps"][static_cast<std::size_t>(k)].get<std::vector<float>>();
    EXPECT_THAT(map->heatmap, Pointwise(FloatNear(1e-4F), theirs)) << "class " << k;
    spoke += std::ranges::max(theirs) > 0.0F ? 1 : 0;
  }
  EXPECT_GE(spoke, 3) << "maps that are 0 everywhere say little";
}

TEST(GradCamOfPytorchGradCam, IsOursForAPlainNetwork) { expect_its_maps("simple-cnn", json::Value::object()); }

TEST(GradCamOfPytorchGradCam, IsOursForMobileNetV2) { expect_its_maps("mobilenet-v2", {{"padding", "torch"}}); }

}  // namespace
}  // namespace imago::nn
