// SPDX-License-Identifier: Apache-2.0
#include "nn/initialize.hpp"

#include <algorithm>
#include <cmath>

namespace imago::nn {
namespace {

void make_identity(torch::Tensor weight) {
  const auto filters = std::min(weight.size(0), weight.size(1));
  weight.narrow(0, 0, filters).zero_();
  for (std::int64_t i = 0; i < filters; ++i) weight[i][i][weight.size(2) / 2][weight.size(3) / 2] = 1.0F;
}

void draw_uniform(torch::Tensor tensor, double bound, at::Generator& generator) {
  // Drawn in the plain order of elements, so that the memory format does not decide who gets which number.
  tensor.copy_(torch::empty(tensor.sizes()).uniform_(-bound, bound, generator));
}

}  // namespace

void draw_weights(const Network& network, Values& values, at::Generator& generator) {
  const Layout& layout = network.layout();
  auto tensors = values.views(layout);
  const auto tensor = [&](const std::string& name) {
    const int slot = layout.find(name);
    return slot < 0 ? torch::Tensor() : tensors[static_cast<std::size_t>(slot)];
  };
  for (const model::Node& node : network.graph().nodes) {
    auto weight = tensor(node.name + ".weight");
    auto bias = tensor(node.name + ".bias");
    if (std::holds_alternative<model::BatchNorm2d>(node.layer)) {
      if (weight.defined()) weight.fill_(1.0F);
      tensor(node.name + ".running_var").fill_(1.0F);
      continue;
    }
    if (!weight.defined()) continue;
    const double fan_in = static_cast<double>(weight.numel() / weight.size(0));
    draw_uniform(weight, 1.0 / std::sqrt(fan_in), generator);
    if (bias.defined()) draw_uniform(bias, 1.0 / std::sqrt(fan_in), generator);
    const auto* conv = std::get_if<model::Conv2d>(&node.layer);
    if (conv != nullptr && conv->init == model::Init::Identity) make_identity(weight);
    if (conv != nullptr && conv->init != model::Init::Default && bias.defined()) bias.zero_();
  }
}

torch::Tensor whitening_filters(const torch::Tensor& images, int kernel, int half) {
  const auto channels = images.size(1);
  const auto patch = channels * kernel * kernel;
  const auto patches = images.unfold(2, kernel, 1)
                           .unfold(3, kernel, 1)
                           .permute({0, 2, 3, 1, 4, 5})
                           .reshape({-1, patch})
                           .to(torch::kFloat64);
  const auto moments = patches.t().mm(patches) / patches.size(0);
  const auto [eigenvalues, eigenvectors] = torch::linalg_eigh(moments, "U");  // ascending, vectors in columns
  const auto scaled = eigenvectors.t() / (eigenvalues + 5e-4).sqrt().unsqueeze(1);
  const auto leading = scaled.flip(0).narrow(0, 0, half).reshape({half, channels, kernel, kernel});
  return torch::cat({leading, -leading}).to(torch::kFloat32);
}

Result<void> set_whitening(const Network& network, const torch::Tensor& images, Values& values) {
  auto tensors = values.views(network.layout());
  for (const model::Node& node : network.graph().nodes) {
    const auto* conv = std::get_if<model::Conv2d>(&node.layer);
    if (conv == nullptr || conv->init != model::Init::Whitening) continue;
    const int half = conv->out_channels / 2;
    const auto patch = images.size(1) * conv->kernel * conv->kernel;
    if (node.inputs.front() != -1 || conv->groups != 1 || conv->out_channels % 2 != 0 || half > patch) {
      return fail(ErrorCode::InvalidArgument,
                  "{}: a whitening convolution reads the image and has an even number of filters up to {}, not {}",
                  node.name, 2 * patch, conv->out_channels);
    }
    const auto slot = static_cast<std::size_t>(network.layout().find(node.name + ".weight"));
    tensors[slot].copy_(whitening_filters(images, conv->kernel, half));
  }
  return {};
}

}  // namespace imago::nn
