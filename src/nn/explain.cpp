// SPDX-License-Identifier: Apache-2.0
#include "nn/explain.hpp"

#include <torch/torch.h>

#include <algorithm>

#include "model/classifier.hpp"
#include "nn/network.hpp"
#include "nn/torch_guard.hpp"

namespace imago::nn {
namespace {

using torch::Tensor;

Result<void> check(const model::Graph& graph, const image::ImageBatch& image) {
  const model::InputShape& want = graph.input;
  if (image.n == 1 && image.channels == want.channels && image.height == want.height && image.width == want.width &&
      image.data.size() == image.item_size())
    return {};
  return fail(ErrorCode::InvalidArgument, "{} image(s) [{}, {}, {}] for one that is [{}, {}, {}]", image.n,
              image.channels, image.height, image.width, want.channels, want.height, want.width);
}

/// The node whose output is looked at.
Result<int> last_planes(const model::Graph& graph) {
  const int end = model::backbone_end(graph);
  const int node = end < 0 ? -1 : graph.nodes[static_cast<std::size_t>(end)].inputs.front();
  if (model::is_cut(graph, node)) return node;
  return fail(ErrorCode::Unsupported, "{} has no output of planes before its head: there is nothing to look at",
              graph.architecture);
}

Tensor to_tensor(const image::ImageBatch& image) {
  auto* data = const_cast<float*>(image.data.data());  // the copy that follows only reads it
  return torch::from_blob(data, {1, image.channels, image.height, image.width}, torch::kFloat32)
      .contiguous(torch::MemoryFormat::ChannelsLast)
      .clone();
}

/// [1, 1] becomes (0, logit), as everywhere.
Tensor widened(const Tensor& logits) {
  return logits.size(1) == 1 ? torch::cat({torch::zeros_like(logits), logits}, 1) : logits;
}

/// The class's own score: for the first of two classes that share one output, its negation.
Tensor score(const Tensor& logits, int class_index) {
  if (logits.size(1) > 1) return logits[0][class_index];
  return class_index == 1 ? logits[0][0] : -logits[0][0];
}

std::vector<float> to_vector(const Tensor& tensor) {
  const Tensor plain = tensor.contiguous();
  const float* data = plain.data_ptr<float>();
  return {data, data + plain.numel()};
}

Result<Explanation> look(const Network& network, const std::vector<Tensor>& tensors, const Tensor& image, int node,
                         std::optional<int> class_index, double temperature) {
  Tensor planes;
  {
    const torch::NoGradGuard no_gradients;
    planes = network.forward_to(node, image, tensors, {});
  }
  planes = planes.detach().requires_grad_(true);
  const Tensor logits = network.forward_from(node, planes, tensors, {});
  const auto row = to_vector(widened(logits.detach()));
  Explanation explanation;
  explanation.predicted_index = model::argmax(row);
  explanation.class_index = class_index.value_or(explanation.predicted_index);
  if (explanation.class_index < 0 || explanation.class_index >= static_cast<int>(row.size()))
    return fail(ErrorCode::InvalidArgument, "class {}, but {} classes", explanation.class_index, row.size());
  explanation.probabilities = model::softmax(row, temperature);

  const auto gradient = torch::autograd::grad({score(logits, explanation.class_index)}, {planes}).front();
  const torch::NoGradGuard no_gradients;
  const Tensor weights = gradient.mean({2, 3}, true);
  Tensor map = (weights * planes).sum(1).relu()[0];
  const auto largest = map.max().item<double>();
  if (largest > 0.0) map = map / largest;
  explanation.layer = network.graph().nodes[static_cast<std::size_t>(node)].name;
  explanation.height = static_cast<int>(map.size(0));
  explanation.width = static_cast<int>(map.size(1));
  explanation.heatmap = to_vector(map);
  return explanation;
}

}  // namespace

Result<Explanation> grad_cam(const model::Graph& graph, const model::Weights& weights, const image::ImageBatch& image,
                             std::optional<int> class_index, double temperature) {
  TRY_VOID(check(graph, image));
  TRY_VOID(model::check_weights(graph, weights));
  TRY(const int node, last_planes(graph));
  return guard([&]() -> Result<Explanation> {
    TRY(const auto network, Network::of(graph));
    Values values = Values::zeros(network.layout(), torch::kCPU);
    copy_weights(network.layout(), weights, values);
    return look(network, values.views(network.layout()), to_tensor(image), node, class_index, temperature);
  });
}

}  // namespace imago::nn
