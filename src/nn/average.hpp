// SPDX-License-Identifier: Apache-2.0
// A second set of a network's values that follows those being trained.
#pragma once

#include <cstdint>

#include "nn/learner.hpp"
#include "nn/parameters.hpp"

namespace imago::nn {

/// An exponential moving average, which is then what classifies and what training leaves behind; or the slow weights of
/// a learner that looks ahead (Zhang et al. 2019, "Lookahead Optimizer"); or nothing. BatchNorms' running statistics
/// follow like the weights. Not thread-safe.
class Average {
 public:
  explicit Average(const LearnerSettings& settings)
      : decay_(settings.ema_decay), kept_(settings.lookahead || settings.ema_decay > 0.0) {}

  /// There is a second set.
  [[nodiscard]] bool is_kept() const { return kept_; }
  /// It takes the place of the trained set wherever that is used outside of training.
  [[nodiscard]] bool is_served() const { return decay_ > 0.0; }
  [[nodiscard]] const Values& values() const { return values_; }
  [[nodiscard]] bool began_at_random() const { return began_at_random_; }

  /// Begins anew where `values` are, drawn at random or given by somebody.
  void begin(const Values& values, bool at_random);
  /// Takes the place of the second set, for a network whose layout changed or a state that was saved.
  void restore(Values average, bool began_at_random);
  /// After a step of training, the `steps`th. From a random start the decay is min(ema_decay, (1 + steps) / (10 +
  /// steps)), as TensorFlow's ExponentialMovingAverage has it, so that the average lets go of it.
  void follow(const Values& values, std::int64_t steps);
  /// The second set moves towards `values`, and they go where it is.
  void look_ahead(Values& values, double decay);

 private:
  void move_towards(const Values& values, double decay);

  double decay_;
  bool kept_;
  bool began_at_random_ = true;
  Values values_{torch::empty({0}), torch::empty({0})};
};

}  // namespace imago::nn
