// SPDX-License-Identifier: Apache-2.0
// A network as data: a short list of typed nodes. nn makes a libtorch module of it, onnx an ONNX file, and the
// command line a table; a new architecture is one function that returns a Graph.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "json/json.hpp"
#include "model/tensor.hpp"

namespace imago::model {

/// Zero padding in pixels. TensorFlow's stride-2 convolutions pad unevenly, so each side has its own.
struct Padding {
  int top = 0, left = 0, bottom = 0, right = 0;
  static Padding same(int kernel) { return {(kernel - 1) / 2, (kernel - 1) / 2, kernel / 2, kernel / 2}; }
  friend bool operator==(const Padding&, const Padding&) = default;
};

/// Where a convolution's weights start from.
enum class Init {
  Default,    ///< PyTorch's: Kaiming uniform with a = sqrt(5)
  Identity,   ///< Default, then the first c_in filters are Dirac kernels (requirements 5.3)
  Whitening,  ///< eigenvectors of the training images' patches; needs data, done by the learner before training
};

struct Conv2d {
  int out_channels = 0;
  int kernel = 3;
  int stride = 1;
  Padding padding;
  int groups = 1;  ///< in_channels for a depthwise convolution
  bool bias = true;
  Init init = Init::Default;
  bool freeze_weight = false;  ///< the weight is not trained; the bias still is
  friend bool operator==(const Conv2d&, const Conv2d&) = default;
};
struct BatchNorm2d {
  float eps = 1e-5F;
  float momentum = 0.1F;    ///< PyTorch's sense: running = (1 - momentum) * running + momentum * batch
  bool learn_scale = true;  ///< false: weight stays 1
  friend bool operator==(const BatchNorm2d&, const BatchNorm2d&) = default;
};
enum class Activation { Relu, Relu6, Gelu, Silu };
struct Activate {
  Activation function = Activation::Relu;
  friend bool operator==(const Activate&, const Activate&) = default;
};
enum class Pool { Max, Average };
struct Pool2d {
  Pool kind = Pool::Max;
  int kernel = 2;
  int stride = 2;
  friend bool operator==(const Pool2d&, const Pool2d&) = default;
};
/// Mean over height and width: [n, c, h, w] -> [n, c].
struct GlobalAveragePool {
  friend bool operator==(const GlobalAveragePool&, const GlobalAveragePool&) = default;
};
/// Maximum over height and width: [n, c, h, w] -> [n, c].
struct GlobalMaxPool {
  friend bool operator==(const GlobalMaxPool&, const GlobalMaxPool&) = default;
};
/// [n, c, h, w] -> [n, c*h*w], channel-major as PyTorch does.
struct Flatten {
  friend bool operator==(const Flatten&, const Flatten&) = default;
};
struct Linear {
  int out_features = 0;
  bool bias = true;
  friend bool operator==(const Linear&, const Linear&) = default;
};
/// Active in training only.
struct Dropout {
  float probability = 0.5F;
  friend bool operator==(const Dropout&, const Dropout&) = default;
};
/// Sum of two inputs of the same shape.
struct Add {
  friend bool operator==(const Add&, const Add&) = default;
};
/// Multiplies by a constant.
struct Scale {
  float factor = 1.0F;
  friend bool operator==(const Scale&, const Scale&) = default;
};

using Layer = std::variant<Conv2d, BatchNorm2d, Activate, Pool2d, GlobalAveragePool, GlobalMaxPool, Flatten, Linear,
                           Dropout, Add, Scale>;

/// One step. An input of -1 is the image; any other is the index of an earlier node.
struct Node {
  std::string name;  ///< unique, [a-z0-9_.]+; the prefix of its weights
  Layer layer;
  std::vector<int> inputs;
  friend bool operator==(const Node&, const Node&) = default;
};

struct InputShape {
  int channels = 3;
  int height = 32;
  int width = 32;
  friend bool operator==(const InputShape&, const InputShape&) = default;
};

/// A feed-forward network. The last node's output [n, outputs] is the logits. A two-class network may have one output:
/// the logit of class 1 (S3's form).
struct Graph {
  std::string architecture;  ///< "improved-cnn"
  InputShape input;
  std::vector<Node> nodes;
  friend bool operator==(const Graph&, const Graph&) = default;

  /// Appends a node fed by the previous one (the image, for the first); returns its index.
  int then(std::string name, Layer layer);
  /// Appends a node with these inputs; returns its index.
  int append(std::string name, Layer layer, std::vector<int> inputs);
};

/// Shape of one node's output without the batch: [c, h, w], or [features].
using Shape = std::vector<int>;

/// What `imago models show` prints of a node.
struct NodeSummary {
  Shape output;
  std::int64_t parameters = 0;  ///< weights and biases, frozen ones too; no statistics, no fixed scales
  std::int64_t macs = 0;        ///< multiply-accumulates an image in convolutions and linear layers
};

/// Checks the graph and computes every node's summary, in node order. InvalidArgument naming the node: an input that is
/// not an earlier node, a kernel larger than its input, shapes that do not add, a name used twice, outputs that are not
/// a row.
Result<std::vector<NodeSummary>> summarize(const Graph& graph);

/// Where a network turns from planes into a row: the index of the first node that pools or flattens. That node and
/// those before it are the backbone, those after it the head. -1 when there is none. @param graph one that summarize
/// accepts.
int backbone_end(const Graph& graph);

/// Whether what comes after `node` depends on the image through that node's output alone.
bool is_cut(const Graph& graph, int node);

/// The tensors this graph needs, by name, with their shapes: what weights files are checked against.
Result<std::map<std::string, std::vector<std::int64_t>>> weight_shapes(const Graph& graph);

/// InvalidArgument with the first difference: missing, unexpected, or of another shape.
Result<void> check_weights(const Graph& graph, const Weights& weights);

/// {"architecture": ..., "input": {"channels", "height", "width"}, "nodes": [{"name", "kind", "inputs", the layer's
/// fields}, ...]}
json::Value to_json(const Graph& graph);
/// InvalidArgument naming the node and field, also for a field it does not know and for whatever summarize refuses.
Result<Graph> graph_from_json(const json::Value& value);
std::string_view layer_name(const Layer& layer) noexcept;  ///< "conv2d", "batch_norm2d", ...: also its name in JSON

}  // namespace imago::model
