// SPDX-License-Identifier: Apache-2.0
// What the tests of the loop share: a learner of one number, on a clock that moves when the learner works.
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "train/test_split.hpp"
#include "train/trainer.hpp"

namespace imago::train::testing {

/// Learns one number from pixels, labels, their order and the rate, so that two runs agree only if all of that does.
/// Its validation loss grows with the distance of `answer(number)` from 0.
class FakeLearner final : public nn::Learner {
 public:
  explicit FakeLearner(FakeClock& clock) : clock_(clock) {}

  [[nodiscard]] int classes() const override { return 2; }

  Result<nn::StepReport> step(const nn::Batch& batch, const nn::StepOptions& options) override {
    if (static_cast<std::int64_t>(rates.size()) == fail_at) return fail(ErrorCode::Internal, "the lights went out");
    clock_.advance(batch.images.n * time_per_image);
    rates.push_back(options.learning_rate);
    bias_rates.push_back(options.whitening_bias_rate);
    for (int i = 0; i < batch.images.n; ++i) {
      const int label = batch.labels[static_cast<std::size_t>(i)];
      number = 0.99 * number + options.learning_rate * (static_cast<double>(batch.images.item(i)[0]) + label);
    }
    losses.push_back(std::abs(number));
    return nn::StepReport{losses.back(), 1};
  }

  Result<model::Logits> classify(const image::ImageBatch& batch) override {
    clock_.advance(batch.n * validation_time_per_image);
    model::Logits logits{batch.n, 2, {}};
    for (int i = 0; i < batch.n; ++i) {
      logits.data.push_back(0.0F);
      logits.data.push_back(static_cast<float>(answer(number)));
    }
    ++validations;
    return logits;
  }

  Result<void> initialize_from(const image::ImageBatch& images) override {
    initialized_from = images.n;
    return {};
  }

  Result<void> look_ahead(double decay) override {
    decays.push_back(decay);
    return {};
  }
  Result<void> unfreeze() override {
    frozen_backbone = false;
    return {};
  }

  [[nodiscard]] Result<model::Weights> weights() const override {
    return model::Weights{{"number", {{1}, {static_cast<float>(number)}}}};
  }
  Result<void> set_weights(const model::Weights& weights, bool /*partly_random*/) override {
    number = static_cast<double>(weights.at("number").data[0]);
    return {};
  }

  [[nodiscard]] Result<std::string> save_state() const override {
    return std::to_string(std::bit_cast<std::uint64_t>(number));
  }
  Result<void> load_state(std::string_view state) override {
    number = std::bit_cast<double>(static_cast<std::uint64_t>(std::stoull(std::string(state))));
    return {};
  }

  double number = 0.0;
  std::function<double(double)> answer = [](double x) { return x; };
  std::chrono::nanoseconds time_per_image{0}, validation_time_per_image{0};
  std::int64_t fail_at = -1;  ///< of this learner's steps, from 0
  std::vector<double> rates, losses;
  std::vector<std::optional<double>> bias_rates;  // of a whitening convolution
  std::vector<double> decays;
  bool frozen_backbone = true;
  int validations = 0;
  int initialized_from = 0;

 private:
  FakeClock& clock_;
};

struct Recorder final : Observer {
  void on_note(const std::string& note) override { notes.push_back(note); }
  void on_step(const StepEvent& event) override {
    steps.push_back(event);
    if (event.step == stop_after) stop = true;
  }
  void on_epoch(const EpochEvent& event) override { epochs.push_back(event); }
  std::vector<StepEvent> steps;
  std::vector<EpochEvent> epochs;
  std::vector<std::string> notes;
  std::int64_t stop_after = -1;
  std::atomic<bool> stop = false;
};

class TrainerTest : public SplitTest {
 protected:
  TrainerTest() : train_(open(data::Split::Train)), validation_(open(data::Split::Validation)) {
    settings_.epochs = 3;
    settings_.batch_size = 6;  // 3 batches an epoch
    settings_.schedule = {
        .kind = ScheduleKind::Triangle, .peak = 0.1, .start_factor = 0.5, .end_factor = 0.25, .warmup_share = 0.5};
    settings_.augmentation.flip = data::Flip::Random;
    settings_.augmentation.brightness = 0.5;
  }

  Result<TrainOutcome> train(FakeLearner& learner, Recorder& recorder, bool resume = false) {
    return fit(learner, {train_, validation_, preprocess_}, settings_, run_folder(), resume, recorder.stop, recorder,
               clock_);
  }

  TrainOutcome train_well(FakeLearner& learner, Recorder& recorder, bool resume = false) {
    auto outcome = train(learner, recorder, resume);
    EXPECT_TRUE(outcome) << outcome.error().message;
    return outcome ? std::move(*outcome) : TrainOutcome{};
  }

  [[nodiscard]] fs::path run_folder() const { return folder() / "run"; }

  FakeClock clock_;
  TrainSettings settings_;
  data::PackedSplit train_, validation_;
};

/// Answers with these distances from the truth, one a validation: the script of a run.
inline std::function<double(double)> script(std::vector<double> losses) {
  return
      [losses = std::move(losses), i = std::size_t{0}](double) mutable { return losses.at(i++ / kValidationImages); };
}

}  // namespace imago::train::testing
