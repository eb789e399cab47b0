// SPDX-License-Identifier: Apache-2.0
#include "nn/learner.hpp"

#include <torch/torch.h>
#include <torch/version.h>

#include <cmath>
#include <sstream>

#include "nn/average.hpp"
#include "nn/batch_check.hpp"
#include "nn/device_group.hpp"
#include "nn/exchange.hpp"
#include "nn/feature_cache.hpp"
#include "nn/initialize.hpp"
#include "nn/loss.hpp"
#include "nn/network.hpp"
#include "nn/optimizer.hpp"
#include "nn/process.hpp"
#include "nn/resident_images.hpp"
#include "nn/torch_guard.hpp"

namespace imago::nn {
namespace {

using torch::Tensor;

class TorchLearner final : public Learner {
 public:
  TorchLearner(Network network, const LearnerSettings& settings)
      : settings_(settings),
        device_(pick_device(settings.team != nullptr ? settings.team->local_rank() : 0)),
        type_(product_type(settings.precision, device_)),
        network_(std::move(network)),
        generator_(at::globalContext().defaultGenerator(device_).clone()),
        values_(Values::zeros(network_.layout(), device_)),
        average_(settings),
        loss_(settings.loss, device_),
        optimizer_(settings.optimizer, network_.layout(), device_) {
    auto drawing = at::globalContext().defaultGenerator(torch::kCPU).clone();
    drawing.set_current_seed(settings.seed);
    draw_weights(network_, values_, drawing);
    generator_.set_current_seed(settings.seed ^ 0x9e3779b97f4a7c15ULL);
    begin_average(true);
    bind();
  }

  [[nodiscard]] int classes() const override { return std::max(2, network_.outputs()); }

  Result<Holding> hold(const data::PackedSplit& images, const image::Preprocess& preprocess,
                       const data::Augmentation& augmentation) override {
    held_.reset();
    if (!may_hold(settings_, device_)) return Holding{};
    return guard([&]() -> Result<Holding> {
      if (auto obstacle = obstacle_to_holding(settings_, images, augmentation, device_); !obstacle.empty())
        return Holding{false, std::move(obstacle)};
      held_.emplace(images, preprocess, augmentation.cutout, device_);
      return Holding{true, fmt::format("the training images, {:.1f} MB, lie on {}", held_->megabytes(), device_.str())};
    });
  }

  Result<StepReport> step(const Batch& batch, const StepOptions& options) override {
    TRY_VOID(check(batch));
    return guard([&]() -> Result<StepReport> { return take_step(batch, options); });
  }

  Result<model::Logits> classify(const image::ImageBatch& batch) override {
    TRY_VOID(check_images(batch, network_.graph().input));
    return guard([&]() -> Result<model::Logits> {
      const torch::NoGradGuard no_gradients;
      const Tensor logits = widen(forward(batch, averaged_, {})).to(torch::kCPU).contiguous();
      const float* data = logits.data_ptr<float>();
      return model::Logits{batch.n, classes(), std::vector<float>(data, data + logits.numel())};
    });
  }

  Result<void> initialize_from(const image::ImageBatch& images) override {
    TRY_VOID(check_images(images, network_.graph().input));
    return guard([&]() -> Result<void> {
      TRY_VOID(set_whitening(network_, to_tensor(images).to(torch::kCPU), values_));
      features_.clear();
      begin_average(true);
      return {};
    });
  }

  Result<void> look_ahead(double decay) override {
    EXPECTS(settings_.lookahead && decay >= 0.0 && decay <= 1.0, "a learner that was made to look ahead");
    return guard([&]() -> Result<void> {
      const torch::NoGradGuard no_gradients;
      average_.look_ahead(values_, decay);
      return {};
    });
  }

  Result<void> unfreeze() override {
    if (!settings_.freeze_backbone) return {};
    return guard([&]() -> Result<void> {
      const Layout before = network_.layout();
      TRY(network_, network_.unfrozen());
      const auto carry = [&](const Values& from) {
        Values to = Values::zeros(network_.layout(), device_);
        copy_weights(network_.layout(), to_weights(before, from), to);
        return to;
      };
      settings_.freeze_backbone = false;
      values_ = carry(values_);
      if (average_.is_kept()) average_.restore(carry(average_.values()), average_.began_at_random());
      optimizer_ = Optimizer(settings_.optimizer, network_.layout(), device_);
      features_.clear();
      bind();
      return {};
    });
  }

  [[nodiscard]] Result<model::Weights> weights() const override {
    return guard([&]() -> Result<model::Weights> { return to_weights(network_.layout(), served()); });
  }

  Result<void> set_weights(const model::Weights& weights, bool partly_random) override {
    TRY_VOID(model::check_weights(network_.graph(), weights));
    return guard([&]() -> Result<void> {
      copy_weights(network_.layout(), weights, values_);
      features_.clear();
      begin_average(partly_random);
      return {};
    });
  }

  [[nodiscard]] Result<std::string> save_state() const override {
    return guard([&]() -> Result<std::string> {
      std::ostringstream out;
      torch::save(state(), out);
      return std::move(out).str();
    });
  }

  Result<void> load_state(std::string_view bytes) override {
    return guard([&]() -> Result<void> {
      std::istringstream in{std::string(bytes)};
      std::vector<Tensor> loaded;
      torch::load(loaded, in, torch::Device(torch::kCPU));  // wherever they were
      return set_state(loaded);
    });
  }

 private:
  [[nodiscard]] const Values& served() const { return average_.is_served() ? average_.values() : values_; }

  void begin_average(bool at_random) {
    average_.begin(values_, at_random);
    averaged_ = served().views(network_.layout());
  }

  /// Makes what views the values.
  void bind() {
    tensors_ = values_.views(network_.layout(), true);
    leaves_.clear();
    for (const Tensor& tensor : tensors_) {
      if (tensor.requires_grad()) leaves_.push_back(tensor);
    }
    gradient_ = torch::zeros_like(values_.trained);
    averaged_ = served().views(network_.layout());
  }

  Result<void> check(const Batch& batch) const {
    TRY_VOID(check_batch(batch, network_.graph().input, classes()));
    if (batch.picks.empty()) return {};
    if (!held_) return fail(ErrorCode::InvalidArgument, "a batch of images by number, but no images are held");
    return held_->check(batch.picks, batch.images);
  }

  [[nodiscard]] Tensor to_tensor(const image::ImageBatch& batch) const {
    // from_blob takes no const pointer; the copy that follows only reads it.
    auto* data = const_cast<float*>(batch.data.data());
    const auto planes = torch::from_blob(data, {batch.n, batch.channels, batch.height, batch.width}, torch::kFloat32);
    return torch::empty(planes.sizes(), torch::TensorOptions(device_).memory_format(torch::MemoryFormat::ChannelsLast))
        .copy_(planes);
  }

  [[nodiscard]] Tensor forward(const Batch& batch, const ForwardMode& mode) {
    if (batch.picks.empty()) return forward(batch.images, tensors_, mode);
    return network_.forward(held_->batch(batch.picks), tensors_, mode);
  }

  [[nodiscard]] Tensor forward(const image::ImageBatch& batch, const std::vector<Tensor>& tensors,
                               const ForwardMode& mode) {
    if (!settings_.freeze_backbone) return network_.forward(to_tensor(batch), tensors, mode);
    const int end = model::backbone_end(network_.graph());
    Tensor all;  // made once, and only when something is missing
    const Tensor features = features_.of(batch, [&](const std::vector<std::int64_t>& items) {
      const torch::NoGradGuard no_gradients;
      if (!all.defined()) all = to_tensor(batch);
      const Tensor images = all.index_select(0, torch::tensor(items, device_));
      return network_.forward_to(end, images.contiguous(torch::MemoryFormat::ChannelsLast), averaged_, {});
    });
    return network_.forward_from(end, features, tensors, mode);
  }

  Result<StepReport> take_step(const Batch& batch, const StepOptions& options) {
    const Tensor statistics_before = settings_.team != nullptr ? statistics().clone() : Tensor();
    if (settings_.team != nullptr)
      generator_.set_current_seed(dropout_seed(settings_.seed, settings_.team->rank(), steps_));
    const Tensor logits = forward(batch, {true, &generator_, type_});
    const Tensor loss = loss_.mean(logits, batch);
    StepReport report{loss.item<double>(), loss_.count_correct(logits.detach(), batch)};
    const auto gradients = torch::autograd::grad({loss}, leaves_, {}, c10::nullopt, false, true);
    const torch::NoGradGuard no_gradients;
    flatten_gradients(network_.layout(), gradients, gradient_);
    if (settings_.team != nullptr) {
      TRY(report, exchange_with_team(report, batch, statistics_before));
    }
    if (!std::isfinite(report.loss)) {
      return fail(ErrorCode::Internal, "the loss became {} at learning rate {}: lower schedule.peak", report.loss,
                  options.learning_rate);
    }
    clip();
    optimizer_.step(values_.trained, gradient_, options.learning_rate, options.whitening_bias_rate);
    ++steps_;
    average_.follow(values_, steps_);
    return report;
  }

  /// BatchNorms' running statistics, which a forward pass changes.
  [[nodiscard]] Tensor statistics() const {
    const std::int64_t size = network_.layout().kept_size();
    std::int64_t begin = size;
    for (const Slot& slot : network_.layout().slots()) {
      if (slot.role == Role::Statistic) begin = std::min(begin, slot.offset);
    }
    return values_.kept.narrow(0, begin, size - begin);  // they lie last
  }

  /// Makes gradient, statistics and report those of the whole batch, of which this process has seen a part.
  Result<StepReport> exchange_with_team(const StepReport& report, const Batch& batch, const Tensor& statistics_before) {
    Share share{.gradient = gradient_,
                .statistics = statistics(),
                .statistics_move = !settings_.freeze_backbone,
                .report = report,
                .loss_weight = loss_.divisor(batch),
                .images = batch.images.n};
    const auto done = exchange(*settings_.team, share);
    if (!done) {
      share.statistics.copy_(statistics_before);
      return tl::unexpected<Error>(done.error());
    }
    return share.report;
  }

  void clip() {
    if (settings_.gradient_clip_norm <= 0.0) return;
    const double norm = gradient_.norm().item<double>();
    if (norm > settings_.gradient_clip_norm) gradient_.mul_(settings_.gradient_clip_norm / (norm + 1e-6));
  }

  [[nodiscard]] std::vector<Tensor> state() const {
    const Values& average = average_.values();
    const Tensor counts = torch::tensor({steps_, std::int64_t{average_.began_at_random()}}, torch::kInt64);
    std::vector<Tensor> tensors{values_.trained, values_.kept,           average.trained,
                                average.kept,    generator_.get_state(), counts};
    for (const Tensor& tensor : optimizer_.state()) tensors.push_back(tensor);
    return tensors;
  }

  Result<void> set_state(const std::vector<Tensor>& loaded) {
    const auto expected = state();
    bool fits = loaded.size() == expected.size();
    for (std::size_t i = 0; fits && i < expected.size(); ++i) {
      fits = loaded[i].sizes() == expected[i].sizes() && loaded[i].dtype() == expected[i].dtype();
    }
    if (!fits)
      return fail(ErrorCode::InvalidArgument,
                  "this training state is of another network or optimiser, or of another kind of device");
    const torch::NoGradGuard no_gradients;
    values_.trained.copy_(loaded[0]);
    values_.kept.copy_(loaded[1]);
    average_.restore({loaded[2].to(device_), loaded[3].to(device_)}, loaded[5][1].item<std::int64_t>() != 0);
    averaged_ = served().views(network_.layout());
    features_.clear();
    generator_.set_state(loaded[4].cpu());
    steps_ = loaded[5][0].item<std::int64_t>();
    optimizer_.set_state({loaded.begin() + 6, loaded.end()});
    return {};
  }

  LearnerSettings settings_;
  torch::Device device_;
  at::ScalarType type_;  // of a training step's products
  Network network_;
  at::Generator generator_;  // dropout
  Values values_;
  Average average_;
  std::vector<Tensor> tensors_;   // views of values_; trained ones ask for gradients
  std::vector<Tensor> leaves_;    // those
  std::vector<Tensor> averaged_;  // views of what classify uses
  FeatureCache features_;         // of a frozen backbone
  std::optional<ResidentImages> held_;
  Loss loss_;
  Tensor gradient_;
  Optimizer optimizer_;
  std::int64_t steps_ = 0;
};

}  // namespace

Result<std::unique_ptr<Learner>> make_learner(const model::Graph& graph, const LearnerSettings& settings) {
  return guard([&]() -> Result<std::unique_ptr<Learner>> {
    set_up_process(settings.threads);
    EXPECTS(!settings.lookahead || settings.ema_decay == 0.0, "a learner averages or looks ahead, not both");
    TRY(auto network, Network::of(graph, settings.freeze_backbone));
    const auto classes = static_cast<std::size_t>(std::max(2, network.outputs()));
    if (const auto n = settings.loss.class_weights.size(); n != 0 && n != classes)
      return fail(ErrorCode::InvalidArgument, "{} class weights for {} classes", n, classes);
    return std::make_unique<TorchLearner>(std::move(network), settings);
  });
}

std::string backend_description() {
  return fmt::format("libtorch {}, {} threads, {}", TORCH_VERSION, at::get_num_threads(),
                     torch::cuda::is_available() ? "cuda" : "cpu");
}

}  // namespace imago::nn
