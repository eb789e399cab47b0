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
#include "data/augment.hpp"
#include "data/packed.hpp"
#include "image/image.hpp"
#include "image/preprocess.hpp"
#include "model/classifier.hpp"
#include "model/graph.hpp"
#include "model/tensor.hpp"

namespace imago::nn {

class Communicator;

/// What convolutions and linear layers compute in while training. Weights, updates, averages and everything that is not
/// training are float32 always. Auto is bfloat16 where the machine multiplies it faster, else float32.
enum class Precision { Float32, Bfloat16, Auto };

enum class OptimizerKind {
  Sgd,
  Adam,
  AdamW,
  Muon,  ///< the weights of convolutions by nn/muon.hpp; all else by Sgd
};

/// Settings that stay the same during a run; the learning rate comes with each step.
struct OptimizerSettings {
  OptimizerKind kind = OptimizerKind::Adam;
  double momentum = 0.9;                          ///< Sgd
  bool nesterov = true;                           ///< Sgd, Muon
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;  ///< Adam, AdamW
  double weight_decay = 0.0;                      ///< coupled for Sgd and Adam (PyTorch's meaning), decoupled for AdamW
  bool decay_bias_and_norm = true;        ///< false: weight decay on weights of convolutions and linear layers only
  double norm_bias_lr_factor = 1.0;       ///< multiplies the rate of BatchNorm biases (64 in airbench)
  double whitening_bias_lr_factor = 1.0;  ///< likewise of the bias of a whitening convolution
  double muon_momentum = 0.6;             ///< Muon: of the convolutions
  double muon_sgd_lr_factor = 1.0;  ///< Muon: multiplies the rate of all that Sgd updates, on top of the factors above
};

struct LossSettings {
  double label_smoothing = 0.0;
  /// What an image of each class counts, [classes]; empty: all the same. A batch's loss is sum(weight * loss) /
  /// sum(weight), as PyTorch's cross_entropy has it; of mixed images the sum is divided by their number.
  std::vector<double> class_weights{};
  // A graph with one output is trained with binary cross-entropy on logits, any other with cross-entropy.
};

/// Where the training images lie and are augmented. Auto: on a GPU where there is one and they leave half of what is
/// free, else in the host's memory.
enum class DataOn { Auto, Device, Host };

struct LearnerSettings {
  OptimizerSettings optimizer;
  LossSettings loss;
  Precision precision = Precision::Float32;
  double gradient_clip_norm = 0.0;  ///< 0: off
  /// 0: off; else an exponential moving average of the weights is kept and is what classify and weights() use.
  double ema_decay = 0.0;
  bool lookahead = false;  ///< look_ahead will be called; not together with ema_decay
  /// The backbone (model::backbone_end) stays as it is: its weights are not trained and its BatchNorms use their
  /// running statistics. What it makes of an image is computed once and remembered, so that without random crops an
  /// epoch after the first costs little more than the head.
  bool freeze_backbone = false;
  DataOn data_on = DataOn::Auto;
  std::uint64_t seed = 1;
  int threads = 0;  ///< 0: as many as the machine has
  /// The processes that take each step together, every one on its part of the batch (they must outlive the learner);
  /// null: this one is alone. BatchNorm computes with the statistics of each process's own images.
  Communicator* team = nullptr;
};

/// One of the images that a learner holds, and what becomes of it.
struct Pick {
  std::size_t image = 0;
  data::Placement placement;
};

/// One training batch: images after augmentation and normalisation, and their classes.
struct Batch {
  image::ImageBatch images;
  std::vector<int> labels;  ///< [images.n], each in [0, classes)
  /// Mixed images (mixup, cutmix) have a second class: the loss is weight * loss of the label + (1 - weight) * loss of
  /// the second. Both are empty or [images.n]; weights in [0, 1].
  std::vector<int> second_labels{};
  std::vector<float> weights{};
  /// Instead of pixels, for a learner that holds the images: [images.n], and images.data is empty.
  std::vector<Pick> picks{};
};

struct StepOptions {
  double learning_rate = 1e-3;
  /// Of the bias of a whitening convolution, before its factor; none: it stays as it is.
  std::optional<double> whitening_bias_rate = learning_rate;
};

struct StepReport {
  double loss = 0.0;  ///< mean over the batch, weighted where classes are
  int correct = 0;    ///< images whose largest logit was the label's, before the update
};

/// Whether a learner holds the training images, and why, in a line for the user; empty when nobody need know.
struct Holding {
  bool holds = false;
  std::string note;
};

class Learner : public model::Classifier {
 public:
  /// Copies the training images to where it computes, if its settings say so and it can. Then batches may name images
  /// (Batch::picks) that it changes and normalises itself, to the bits that data::augment and image::normalize give.
  virtual Result<Holding> hold(const data::PackedSplit& /*images*/, const image::Preprocess& /*preprocess*/,
                               const data::Augmentation& /*augmentation*/) {
    return Holding{};
  }

  /// One forward, backward and update on a batch; with a team, on this process's part of it, and the report is of the
  /// whole batch. Internal with a clear text when the loss is not finite; Unavailable when another process is lost:
  /// then everything is as before the step.
  virtual Result<StepReport> step(const Batch& batch, const StepOptions& options) = 0;

  /// Evaluation mode (running statistics, no dropout, averaged weights if kept); logits [n, classes].
  Result<model::Logits> classify(const image::ImageBatch& batch) override = 0;

  /// Sets Init::Whitening convolutions from images [n, 3, h, w]; no-op when the graph has none.
  virtual Result<void> initialize_from(const image::ImageBatch& images) = 0;

  /// Moves slow weights towards the weights and takes them over: slow = decay * slow + (1 - decay) * weights, then
  /// weights = slow; all values take part, running statistics too. Source: Zhang et al., "Lookahead Optimizer", 2019,
  /// as airbench has it. @param decay in [0, 1]; 1 takes the slow weights as they are.
  virtual Result<void> look_ahead(double decay) = 0;

  /// Ends freeze_backbone: from here on every weight is trained. The optimiser's moments start anew. No-op when nothing
  /// is frozen. A state saved after it is loaded after it.
  virtual Result<void> unfreeze() = 0;

  /// A copy of what classify uses.
  [[nodiscard]] virtual Result<model::Weights> weights() const = 0;
  /// @param partly_random some of them were drawn, as a new head's are: an average then lets go of where it began.
  virtual Result<void> set_weights(const model::Weights& weights, bool partly_random = false) = 0;

  /// Everything that makes the next step the same to the bit: weights, averages, optimiser moments, random state.
  [[nodiscard]] virtual Result<std::string> save_state() const = 0;
  virtual Result<void> load_state(std::string_view state) = 0;
};

/// A fresh network with weights drawn from settings.seed.
Result<std::unique_ptr<Learner>> make_learner(const model::Graph& graph, const LearnerSettings& settings);

/// "libtorch 1.13.1, 2 threads, cpu": for the run's record.
std::string backend_description();

}  // namespace imago::nn
