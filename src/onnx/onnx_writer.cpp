// SPDX-License-Identifier: Apache-2.0
// Walks the graph once and writes each node as the ONNX operators that compute it; docs of each at
// onnx.ai/onnx/operators.
#include "onnx/onnx_writer.hpp"

#include <onnx/onnx_pb.h>

#include <bit>
#include <cmath>
#include <exception>
#include <new>
#include <numbers>
#include <set>
#include <span>

namespace imago::onnx {
namespace {

static_assert(std::endian::native == std::endian::little, "raw_data is little-endian and written as it lies");

constexpr int kOpset = 13;
constexpr int kIrVersion = 8;
constexpr const char* kImage = "image";
constexpr const char* kLogits = "logits";

/// The edge of protobuf: what it throws becomes an Error.
template <class F>
auto guard(F&& work) -> decltype(work()) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::ResourceExhausted, "not enough memory for the ONNX model");
  } catch (const std::exception& exception) {
    return fail(ErrorCode::Internal, "writing ONNX: {}", exception.what());
  }
}

/// A batch normalisation at rest is x * scale + shift.
struct Affine {
  std::vector<double> scale, shift;
};

/// weights[node.part], which check_weights has seen to be there.
const model::Tensor& part(const model::Weights& weights, const model::Node& node, const char* suffix) {
  const auto found = weights.find(node.name + suffix);
  EXPECTS(found != weights.end(), "checked weights have every tensor of the graph");
  return found->second;
}

Result<Affine> at_rest(const model::Node& node, float eps, const model::Weights& weights) {
  const auto& gamma = part(weights, node, ".weight").data;
  const auto& beta = part(weights, node, ".bias").data;
  const auto& mean = part(weights, node, ".running_mean").data;
  const auto& variance = part(weights, node, ".running_var").data;
  Affine affine;
  for (std::size_t c = 0; c < gamma.size(); ++c) {
    const double spread = static_cast<double>(variance[c]) + eps;
    if (!(spread > 0))
      return fail(ErrorCode::InvalidArgument, "weights: '{}.running_var' is {} at {}, a variance is not negative",
                  node.name, variance[c], c);
    affine.scale.push_back(gamma[c] / std::sqrt(spread));
    affine.shift.push_back(beta[c] - mean[c] * affine.scale.back());
  }
  return affine;
}

/// For each convolution, the batch normalisation that can go into it: the one and only reader of its output. Else -1.
std::vector<int> foldable(const model::Graph& graph) {
  std::vector<int> readers(graph.nodes.size(), 0);
  std::vector<int> fold(graph.nodes.size(), -1);
  for (const auto& node : graph.nodes) {
    for (const int input : node.inputs) {
      if (input >= 0) ++readers[static_cast<std::size_t>(input)];
    }
  }
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const int from = graph.nodes[i].inputs[0];
    if (from < 0 || !std::holds_alternative<model::BatchNorm2d>(graph.nodes[i].layer)) continue;
    const auto before = static_cast<std::size_t>(from);
    if (readers[before] == 1 && std::holds_alternative<model::Conv2d>(graph.nodes[before].layer))
      fold[before] = static_cast<int>(i);
  }
  return fold;
}

class Writer {
 public:
  Writer(const model::Graph& graph, const model::Weights& weights, ::onnx::GraphProto& proto)
      : graph_(graph), weights_(weights), proto_(proto), fold_(foldable(graph)) {}

  Result<void> write() {
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) maker_.push_back(maker_of(i));
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (maker_[i] != static_cast<int>(i)) continue;  // dropped, or computed by the convolution before it
      index_ = i;
      TRY_VOID(std::visit([this](const auto& layer) { return write_layer(layer); }, graph_.nodes[i].layer));
    }
    return {};
  }

 private:
  using Attributes = std::vector<std::pair<const char*, std::vector<std::int64_t>>>;

  // ':' occurs in no node's name, so that the names made here meet neither weights nor each other.
  [[nodiscard]] const model::Node& node() const { return graph_.nodes[index_]; }
  [[nodiscard]] std::string inner(const char* what) const { return node().name + ":" + what; }

  /// The node whose operator makes node i's value: not i itself where i is dropout or folded away.
  [[nodiscard]] int maker_of(std::size_t i) const {
    const int from = graph_.nodes[i].inputs[0];
    if (std::holds_alternative<model::Dropout>(graph_.nodes[i].layer))
      return from < 0 ? -1 : maker_[static_cast<std::size_t>(from)];
    if (from >= 0 && fold_[static_cast<std::size_t>(from)] == static_cast<int>(i)) return from;
    return static_cast<int>(i);
  }

  [[nodiscard]] std::string value(int i) const {
    const int maker = i < 0 ? -1 : maker_[static_cast<std::size_t>(i)];
    if (maker < 0) return kImage;
    return maker == maker_.back() ? kLogits : graph_.nodes[static_cast<std::size_t>(maker)].name + ":out";
  }
  [[nodiscard]] std::string in(std::size_t i = 0) const { return value(node().inputs[i]); }
  [[nodiscard]] std::string out() const { return value(static_cast<int>(index_)); }

  ::onnx::NodeProto& op(const char* type, const std::vector<std::string>& inputs, const std::string& output,
                        const Attributes& attributes = {}) {
    auto& made = *proto_.add_node();
    made.set_op_type(type);
    made.set_name(output == out() ? node().name : output);
    for (const auto& input : inputs) made.add_input(input);
    made.add_output(output);
    for (const auto& [name, values] : attributes) {
      auto& attribute = *made.add_attribute();
      attribute.set_name(name);
      const bool list = values.size() > 1;
      attribute.set_type(list ? ::onnx::AttributeProto::INTS : ::onnx::AttributeProto::INT);
      if (!list) attribute.set_i(values[0]);
      if (list) attribute.mutable_ints()->Add(values.begin(), values.end());
    }
    return made;
  }

  std::string tensor(const std::string& name, const std::vector<std::int64_t>& shape, std::span<const float> data) {
    auto& made = *proto_.add_initializer();
    made.set_name(name);
    made.set_data_type(::onnx::TensorProto::FLOAT);
    made.mutable_dims()->Add(shape.begin(), shape.end());
    made.set_raw_data(data.data(), data.size_bytes());
    return name;
  }
  std::string weight(const char* suffix) {
    const auto& found = part(weights_, node(), suffix);
    return tensor(node().name + suffix, found.shape, found.data);
  }
  /// A number that all who need it share.
  std::string constant(const std::string& name, double number) {
    const auto narrowed = static_cast<float>(number);
    return constants_.insert(name).second ? tensor(name, {}, {&narrowed, 1}) : name;
  }

  Result<void> write_layer(const model::Conv2d& layer) {
    std::vector<std::string> inputs{in()};
    if (const int norm = fold_[index_]; norm >= 0) {
      TRY(auto folded, convolution_with(layer, graph_.nodes[static_cast<std::size_t>(norm)]));
      inputs.insert(inputs.end(), folded.begin(), folded.end());
    } else {
      inputs.push_back(weight(".weight"));
      if (layer.bias) inputs.push_back(weight(".bias"));
    }
    const auto& pad = layer.padding;
    op("Conv", inputs, out(),
       {{"kernel_shape", {layer.kernel, layer.kernel}},
        {"strides", {layer.stride, layer.stride}},
        {"pads", {pad.top, pad.left, pad.bottom, pad.right}},
        {"group", {layer.groups}}});
    return {};
  }

  /// Weight and bias that do the convolution and the normalisation after it: scale * (w * x + b) + shift.
  Result<std::vector<std::string>> convolution_with(const model::Conv2d& layer, const model::Node& norm) {
    TRY(const auto affine, at_rest(norm, std::get<model::BatchNorm2d>(norm.layer).eps, weights_));
    auto kernels = part(weights_, node(), ".weight");
    const std::size_t each = kernels.data.size() / affine.scale.size();
    for (std::size_t i = 0; i < kernels.data.size(); ++i)
      kernels.data[i] = static_cast<float>(kernels.data[i] * affine.scale[i / each]);
    std::vector<float> bias;
    for (std::size_t c = 0; c < affine.scale.size(); ++c) {
      const double own = layer.bias ? part(weights_, node(), ".bias").data[c] : 0.0;
      bias.push_back(static_cast<float>(own * affine.scale[c] + affine.shift[c]));
    }
    return std::vector{tensor(node().name + ".weight", kernels.shape, kernels.data),
                       tensor(node().name + ".bias", {layer.out_channels}, bias)};
  }

  Result<void> write_layer(const model::BatchNorm2d& layer) {
    if (auto checked = at_rest(node(), layer.eps, weights_); !checked) return pass(checked);
    auto& made = op("BatchNormalization",
                    {in(), weight(".weight"), weight(".bias"), weight(".running_mean"), weight(".running_var")}, out());
    auto& eps = *made.add_attribute();
    eps.set_name("epsilon");
    eps.set_type(::onnx::AttributeProto::FLOAT);
    eps.set_f(layer.eps);
    return {};
  }

  Result<void> write_layer(const model::Activate& layer) {
    switch (layer.function) {
      case model::Activation::Relu: op("Relu", {in()}, out()); break;
      case model::Activation::Relu6:
        op("Clip", {in(), constant("relu6:least", 0), constant("relu6:most", 6)}, out());
        break;
      case model::Activation::Silu:
        op("Sigmoid", {in()}, inner("sigmoid"));
        op("Mul", {in(), inner("sigmoid")}, out());
        break;
      case model::Activation::Gelu: write_gelu(); break;
    }
    return {};
  }

  /// In the order in which PyTorch's exporter writes it, which runtimes know and replace by one kernel.
  void write_gelu() {
    op("Div", {in(), constant("gelu:sqrt2", std::numbers::sqrt2)}, inner("div"));
    op("Erf", {inner("div")}, inner("erf"));
    op("Add", {inner("erf"), constant("gelu:one", 1)}, inner("add"));
    op("Mul", {in(), inner("add")}, inner("mul"));
    op("Mul", {inner("mul"), constant("gelu:half", 0.5)}, out());
  }

  Result<void> write_layer(const model::Pool2d& layer) {
    op(layer.kind == model::Pool::Max ? "MaxPool" : "AveragePool", {in()}, out(),
       {{"kernel_shape", {layer.kernel, layer.kernel}}, {"strides", {layer.stride, layer.stride}}});
    return {};
  }

  Result<void> whole_plane(const char* type) {
    op(type, {in()}, inner("pool"));
    op("Flatten", {inner("pool")}, out(), {{"axis", {1}}});
    return {};
  }
  Result<void> write_layer(const model::GlobalAveragePool&) { return whole_plane("GlobalAveragePool"); }
  Result<void> write_layer(const model::GlobalMaxPool&) { return whole_plane("GlobalMaxPool"); }

  Result<void> write_layer(const model::Flatten&) {
    op("Flatten", {in()}, out(), {{"axis", {1}}});
    return {};
  }

  Result<void> write_layer(const model::Linear& layer) {
    std::vector<std::string> inputs{in(), weight(".weight")};
    if (layer.bias) inputs.push_back(weight(".bias"));
    op("Gemm", inputs, out(), {{"transB", {1}}});
    return {};
  }

  Result<void> write_layer(const model::Add&) {
    op("Add", {in(0), in(1)}, out());
    return {};
  }

  Result<void> write_layer(const model::Scale& layer) {
    op("Mul", {in(), constant(inner("factor"), layer.factor)}, out());
    return {};
  }

  Result<void> write_layer(const model::Dropout&) { return {}; }  // maker_of leaves it out

  const model::Graph& graph_;
  const model::Weights& weights_;
  ::onnx::GraphProto& proto_;
  std::vector<int> fold_;
  std::vector<int> maker_;
  std::set<std::string> constants_;
  std::size_t index_ = 0;  // of the node being written
};

/// float32 [n, sides...], n open.
void declare(::onnx::ValueInfoProto& value, const char* name, const std::vector<int>& sides) {
  value.set_name(name);
  auto& type = *value.mutable_type()->mutable_tensor_type();
  type.set_elem_type(::onnx::TensorProto::FLOAT);
  type.mutable_shape()->add_dim()->set_dim_param("n");
  for (const int side : sides) type.mutable_shape()->add_dim()->set_dim_value(side);
}

}  // namespace

Result<std::string> encode_onnx(const model::Graph& graph, const model::Weights& weights, const std::string& name) {
  if (name.empty()) return fail(ErrorCode::InvalidArgument, "an ONNX model needs a name");
  TRY(const auto summaries, model::summarize(graph));
  TRY_VOID(model::check_weights(graph, weights));
  return guard([&]() -> Result<std::string> {
    ::onnx::ModelProto proto;
    proto.set_ir_version(kIrVersion);
    proto.set_producer_name("imago");
    auto& opset = *proto.add_opset_import();
    opset.set_domain("");
    opset.set_version(kOpset);
    proto.mutable_graph()->set_name(name);
    declare(*proto.mutable_graph()->add_input(), kImage, {graph.input.channels, graph.input.height, graph.input.width});
    declare(*proto.mutable_graph()->add_output(), kLogits, summaries.back().output);
    TRY_VOID(Writer(graph, weights, *proto.mutable_graph()).write());
    std::string bytes;
    if (!proto.SerializeToString(&bytes))
      return fail(ErrorCode::ResourceExhausted, "the model is over the 2 GiB that an ONNX file can be");
    return bytes;
  });
}

}  // namespace imago::onnx
