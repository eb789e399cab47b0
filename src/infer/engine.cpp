// SPDX-License-Identifier: Apache-2.0
#include "infer/engine.hpp"

#include <algorithm>
#include <atomic>
#include <openvino/openvino.hpp>
#include <thread>
#include <utility>
#include <vector>

#include "base/files.hpp"

namespace imago::infer {
namespace {

/// The edge of this folder: OpenVINO's exceptions become Errors.
template <class Body>
auto guard(ErrorCode code, std::string_view doing, Body&& body) -> decltype(body()) {
  try {
    return body();
  } catch (const std::exception& error) {
    std::string text = error.what();  // several lines, the first ones with source positions
    std::replace(text.begin(), text.end(), '\n', ' ');
    return fail(code, "{}: {}", doing, text);
  }
}

/// One for the process, never destroyed: its plugins' threads must not outlive it, and static objects go in any order.
ov::Core& core() {
  static ov::Core& instance = *new ov::Core();
  return instance;
}

/// OpenVINO computes on the thread that asks only if a network has no streams of OpenVINO's, and then one batch at a
/// time: so there is a network for each stream. Its own streams are threads that each batch has to go to and come back
/// from (docs/decisions/0007-request-path.md). With more than this many streams that is less than the copies of the
/// weights and the time to compile them.
constexpr int kMostNetworks = 8;

/// What all clones share.
struct Compiled {
  std::vector<ov::CompiledModel> networks;
  std::atomic<std::size_t> engines{0};  // that have taken one of them, in turn
  model::InputShape input;
  std::size_t outputs = 0;  // of the network: one for the logit of two classes
  int classes = 0;
  int streams = 1;
  model::Views views = model::Views::None;
};

std::string shape_text(const ov::PartialShape& shape) { return shape.to_string(); }

/// The network with only its batch left open.
Result<std::shared_ptr<ov::Model>> read_network(const package::ModelPackage& package) {
  const auto network = core().read_model(package.onnx_path().string());
  if (network->inputs().size() != 1 || network->outputs().size() != 1)
    return fail(ErrorCode::Unsupported, "a network with {} inputs and {} outputs, not one of each",
                network->inputs().size(), network->outputs().size());
  const auto& [channels, height, width] = package.spec.graph.input;
  const ov::PartialShape wanted{ov::Dimension::dynamic(), channels, height, width};
  if (network->input().get_element_type() != ov::element::f32 ||
      !network->input().get_partial_shape().compatible(wanted))
    return fail(ErrorCode::Corrupt, "the network's input is {} {}, the spec says f32 {}",
                network->input().get_element_type().get_type_name(), shape_text(network->input().get_partial_shape()),
                shape_text(wanted));
  network->reshape(wanted);
  return network;
}

Result<std::size_t> output_columns(const ov::Model& network, int classes) {
  const auto shape = network.output().get_partial_shape();
  const bool row = shape.rank().is_static() && shape.rank().get_length() == 2 && shape[1].is_static();
  const auto columns = row ? shape[1].get_length() : 0;
  if (columns != classes && !(columns == 1 && classes == 2))
    return fail(ErrorCode::Corrupt, "the network's output is {}, the spec has {} classes", shape_text(shape), classes);
  return static_cast<std::size_t>(columns);
}

Result<std::shared_ptr<Compiled>> compile(const package::ModelPackage& package, const EngineOptions& options) {
  TRY(const auto network, read_network(package));
  auto compiled = std::make_shared<Compiled>();
  compiled->input = package.spec.graph.input;
  compiled->classes = package.spec.classes();
  compiled->views = options.views.value_or(package.spec.views);
  TRY(compiled->outputs, output_columns(*network, compiled->classes));
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  const int threads = options.threads > 0 ? options.threads : cores;
  compiled->streams = options.streams > 0 ? options.streams : std::max(1, cores / threads);
  const bool one_each = compiled->streams <= kMostNetworks;
  // Without a stream of its own a network is computed on the thread that asks, and on that alone: the shortest way for
  // one core, and no way to use more.
  const int streams_of_one = threads > 1 ? 1 : 0;
  for (int i = 0; i < (one_each ? compiled->streams : 1); ++i) {
    compiled->networks.push_back(
        core().compile_model(network, "CPU", ov::hint::inference_precision(ov::element::f32),
                             ov::num_streams(one_each ? streams_of_one : compiled->streams),
                             ov::inference_num_threads(one_each ? threads : threads * compiled->streams),
                             ov::hint::enable_cpu_pinning(false)));
  }
  return compiled;
}

}  // namespace

struct Engine::Impl {
  explicit Impl(std::shared_ptr<Compiled> network) : compiled(std::move(network)) {
    request = compiled->networks[compiled->engines++ % compiled->networks.size()].create_infer_request();
  }

  /// Copies the network's answer, one logit widened to (0, logit).
  void copy_output(std::size_t n, model::Logits& logits) {
    const ov::Tensor output = request.get_output_tensor();
    const float* rows = output.data<float>();
    const auto classes = static_cast<std::size_t>(compiled->classes);
    if (compiled->outputs == classes) {
      logits.data.assign(rows, rows + n * classes);
      return;
    }
    logits.data.assign(n * 2, 0.0F);
    for (std::size_t i = 0; i < n; ++i) logits.data[2 * i + 1] = rows[i];
  }

  std::shared_ptr<Compiled> compiled;
  ov::InferRequest request;
};

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::load(const package::ModelPackage& package, const EngineOptions& options) {
  const std::string path = package.onnx_path().string();
  if (std::error_code error; !fs::is_regular_file(path, error))
    return fail(ErrorCode::NotFound, "{}: no such file", path);
  return guard(ErrorCode::Corrupt, path, [&]() -> Result<std::unique_ptr<Engine>> {
    auto compiled = compile(package, options);
    if (!compiled) return pass(compiled, path);
    return std::unique_ptr<Engine>(new Engine(std::make_unique<Impl>(*std::move(compiled))));
  });
}

int Engine::classes() const { return impl_->compiled->classes; }
const model::InputShape& Engine::input_shape() const { return impl_->compiled->input; }
int Engine::streams() const { return impl_->compiled->streams; }

std::unique_ptr<Engine> Engine::clone() const {
  return std::unique_ptr<Engine>(new Engine(std::make_unique<Impl>(impl_->compiled)));
}

Result<model::Logits> Engine::classify(const image::ImageBatch& batch) {
  const auto& input = input_shape();
  if (batch.channels != input.channels || batch.height != input.height || batch.width != input.width || batch.n < 0 ||
      batch.data.size() != static_cast<std::size_t>(batch.n) * batch.item_size())
    return fail(ErrorCode::InvalidArgument,
                "a batch of shape [{}, {}, {}, {}] with {} numbers, the model takes [n, {}, {}, {}]", batch.n,
                batch.channels, batch.height, batch.width, batch.data.size(), input.channels, input.height,
                input.width);
  if (batch.n == 0) return model::Logits{.n = 0, .classes = classes(), .data = {}};
  return model::mean_over_views(batch, impl_->compiled->views,
                                [this](const image::ImageBatch& view) { return infer(view); });
}

Result<model::Logits> Engine::infer(const image::ImageBatch& batch) {
  model::Logits logits{.n = batch.n, .classes = classes(), .data = {}};
  return guard(ErrorCode::Internal, "inference", [&]() -> Result<model::Logits> {
    const auto size = [](int value) { return static_cast<std::size_t>(value); };
    const ov::Shape shape{size(batch.n), size(batch.channels), size(batch.height), size(batch.width)};
    // The batch's own memory, not a copy; OpenVINO only reads it but has no way to say so.
    impl_->request.set_input_tensor(ov::Tensor(ov::element::f32, shape, const_cast<float*>(batch.data.data())));
    impl_->request.infer();
    impl_->copy_output(size(batch.n), logits);
    return std::move(logits);
  });
}

std::string backend_description() {
  const std::string build = ov::get_openvino_version().buildNumber;  // "2026.4.1-21000-hash"
  return fmt::format("OpenVINO {}, CPU", build.substr(0, build.find('-')));
}

}  // namespace imago::infer
