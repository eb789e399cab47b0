// SPDX-License-Identifier: Apache-2.0
// A network that learns: the only door to libtorch. This header knows nothing of it, so the training loop is tested
// with a learner made of a few lines.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "image/image.hpp"
#include "model/classifier.hpp"
#include "model/graph.hpp"
#include "model/tensor.hpp"

namespace imago::nn {

enum class OptimizerKind { Sgd, Adam, AdamW };

/// Settings that stay the same during a run; the learning rate comes with each step.
struct OptimizerSettings {
  OptimizerKind kind = OptimizerKind::Adam;
  double momentum = 0.9;                          ///< Sgd
  bool nesterov = true;                           ///< Sgd
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;  ///< Adam, AdamW
  double weight_decay = 0.0;                      ///< coupled for Sgd and Adam (PyTorch's meaning), decoupled for AdamW
  bool decay_bias_and_norm = true;   ///< false: weight decay on weights of convolutions and linear layers only
  double norm_bias_lr_factor = 1.0;  ///< multiplies the rate of BatchNorm biases (64 in airbench)
};

struct LossSettings {
  double label_smoothing = 0.0;
  // A graph with one output is trained with binary cross-entropy on logits, any other with cross-entropy.
};

struct LearnerSettings {
  OptimizerSettings optimizer;
  LossSettings loss;
  double gradient_clip_norm = 0.0;  ///< 0: off
  double ema_decay =
      0.0;  ///< 0: off; else an exponential moving average of the weights is kept and is what predict and weights() use
  /// The backbone (model::backbone_end) stays as it is: its weights are not trained and its BatchNorms use their
  /// running statistics. What it makes of an image is computed once and remembered, so that without random crops an
  /// epoch after the first costs little more than the head.
  bool freeze_backbone = false;
  std::uint64_t seed = 1;
  int threads = 0;  ///< 0: as many as the machine has
};

/// One training batch: images after augmentation and normalisation, and their classes.
struct Batch {
  image::ImageBatch images;
  std::vector<int> labels;  ///< [images.n], each in [0, classes)
  /// Mixed images (mixup, cutmix) have a second class: the loss is weight * loss of the label + (1 - weight) * loss of
  /// the second. Both are empty or [images.n]; weights in [0, 1].
  std::vector<int> second_labels{};
  std::vector<float> weights{};
};

struct StepOptions {
  double learning_rate = 1e-3;
  bool freeze_whitening_bias = false;
};

struct StepReport {
  double loss = 0.0;  ///< mean over the batch
  int correct = 0;    ///< images whose largest logit was the label's, before the update
};

class Learner : public model::Classifier {
 public:
  /// One forward, backward and update on a batch. Internal with a clear text when the loss is not finite.
  virtual Result<StepReport> step(const Batch& batch, const StepOptions& options) = 0;

  /// Evaluation mode (running statistics, no dropout, averaged weights if kept); logits [n, classes].
  Result<model::Logits> classify(const image::ImageBatch& batch) override = 0;

  /// Sets Init::Whitening convolutions from images [n, 3, h, w]; no-op when the graph has none.
  virtual Result<void> initialize_from(const image::ImageBatch& images) = 0;

  /// A copy of what classify uses.
  [[nodiscard]] virtual Result<model::Weights> weights() const = 0;
  virtual Result<void> set_weights(const model::Weights& weights) = 0;

  /// Everything that makes the next step the same to the bit: weights, averages, optimiser moments, random state.
  [[nodiscard]] virtual Result<std::string> save_state() const = 0;
  virtual Result<void> load_state(std::string_view state) = 0;
};

/// A fresh network with weights drawn from settings.seed.
Result<std::unique_ptr<Learner>> make_learner(const model::Graph& graph, const LearnerSettings& settings);

/// "libtorch 1.13.1, 2 threads, cpu": for the run's record.
std::string backend_description();

}  // namespace imago::nn
