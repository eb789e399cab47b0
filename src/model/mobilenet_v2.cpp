// SPDX-License-Identifier: Apache-2.0
#include "model/mobilenet_v2.hpp"

namespace imago::model {
namespace {

/// One line of the paper's table 2.
struct Stage {
  int expansion, channels, blocks, stride;
};
constexpr std::array<Stage, 7> kStages{
    {{1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2}, {6, 64, 4, 2}, {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}}};
constexpr int kStem = 32;
constexpr int kFeatures = 1280;

class MobileNetBuilder {
 public:
  MobileNetBuilder(Graph& graph, bool tensorflow)
      : graph_(graph), tensorflow_(tensorflow), height_(graph.input.height), width_(graph.input.width) {}

  /// `name`.0 convolution, `name`.1 BatchNorm, `name`.2 ReLU6.
  void conv_bn_relu(const std::string& name, int channels, int kernel, int stride, int groups = 1) {
    conv(name + ".0", channels, kernel, stride, groups);
    graph_.then(name + ".1", BatchNorm2d{});
    graph_.then(name + ".2", Activate{Activation::Relu6});
  }

  void inverted_residual(const std::string& name, const Stage& stage, int stride) {
    const int from = last();
    const int in = channels_;
    int part = 0;
    if (stage.expansion > 1) conv_bn_relu(fmt::format("{}.conv.{}", name, part++), in * stage.expansion, 1, 1);
    conv_bn_relu(fmt::format("{}.conv.{}", name, part++), channels_, 3, stride, channels_);
    conv(fmt::format("{}.conv.{}", name, part), stage.channels, 1, 1, 1);
    graph_.then(fmt::format("{}.conv.{}", name, part + 1), BatchNorm2d{});
    if (stride == 1 && in == stage.channels) graph_.append(name + ".add", Add{}, {from, last()});
  }

 private:
  [[nodiscard]] int last() const { return static_cast<int>(graph_.nodes.size()) - 1; }

  /// What goes before and after a side of so many pixels.
  [[nodiscard]] std::pair<int, int> padding(int side, int kernel, int stride) const {
    if (kernel == 1) return {0, 0};
    return {tensorflow_ && stride == 2 && side % 2 == 0 ? 0 : 1, 1};
  }

  void conv(const std::string& name, int channels, int kernel, int stride, int groups) {
    const auto [top, bottom] = padding(height_, kernel, stride);
    const auto [left, right] = padding(width_, kernel, stride);
    graph_.then(name, Conv2d{.out_channels = channels,
                             .kernel = kernel,
                             .stride = stride,
                             .padding = {top, left, bottom, right},
                             .groups = groups,
                             .bias = false});
    height_ = (height_ + top + bottom - kernel) / stride + 1;
    width_ = (width_ + left + right - kernel) / stride + 1;
    channels_ = channels;
  }

  Graph& graph_;
  const bool tensorflow_;
  int height_, width_;
  int channels_ = 3;
};

}  // namespace

void mobilenet_v2(Graph& graph, int classes, Settings& settings) {
  const bool tensorflow =
      settings.choice("padding", std::array<std::string_view, 2>{"torch", "tensorflow"}, "torch") == 1;
  const float dropout = settings.number("dropout", 0.2F, 0.0F, 0.95F);
  MobileNetBuilder builder(graph, tensorflow);
  builder.conv_bn_relu("features.0", kStem, 3, 2);
  int block = 0;
  for (const Stage& stage : kStages) {
    for (int i = 0; i < stage.blocks; ++i)
      builder.inverted_residual(fmt::format("features.{}", ++block), stage, i == 0 ? stage.stride : 1);
  }
  builder.conv_bn_relu(fmt::format("features.{}", block + 1), kFeatures, 1, 1);
  graph.then("pool", GlobalAveragePool{});
  graph.then("classifier.0", Dropout{dropout});
  graph.then("classifier.1", Linear{classes});
}

}  // namespace imago::model
