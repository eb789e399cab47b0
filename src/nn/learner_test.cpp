// SPDX-License-Identifier: Apache-2.0
// The learner on networks small enough to know the answers. Steps and losses are compared with PyTorch's in
// optimizer_test.cpp.
#include "nn/learner.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <functional>
#include <limits>

#include "nn/test_networks.hpp"

namespace imago::nn {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Pointwise;
using namespace testing;

/// The values of one node's output, through a network that ends there.
std::vector<float> outputs_of(const model::Graph& graph, const image::ImageBatch& images) {
  return learner_of(graph)->classify(images).value().data;
}

TEST(Learner, ComputesBranchesPoolsAndUnevenPaddingByTheBook) {
  const model::Conv2d same{.out_channels = 3, .padding = model::Padding::same(3), .init = model::Init::Identity};
  const auto images = noise(2, 4, 5);
  const auto at = [&](int n, int c, int y, int x) {
    return y < 4 && x < 4 ? images.item(n)[static_cast<std::size_t>((c * 4 + y) * 4 + x)] : 0.0F;
  };
  model::Graph residual{"residual", {3, 4, 4}, {}};  // x + relu(x): the branch must not overwrite what it came from
  const int conv = residual.then("conv", same);
  const int relu = residual.then("relu", model::Activate{});
  residual.append("add", model::Add{}, {conv, relu});
  residual.then("scale", model::Scale{0.5F});
  residual.then("flatten", model::Flatten{});
  std::vector<float> expected;
  for (const float value : images.data) expected.push_back(0.5F * (value + std::max(0.0F, value)));
  EXPECT_THAT(outputs_of(residual, images), Pointwise(::testing::FloatNear(1e-6F), expected));

  model::Graph shifted{"shifted", {3, 4, 4}, {}};  // padding of 0 before and 1 after, then relu and max pool
  shifted.then(
      "conv",
      model::Conv2d{.out_channels = 3, .kernel = 2, .padding = model::Padding::same(2), .init = model::Init::Identity});
  shifted.then("relu", model::Activate{});
  shifted.then("pool", model::Pool2d{});
  shifted.then("flatten", model::Flatten{});
  expected.clear();
  for (int i = 0; i < 2 * 3 * 2 * 2; ++i) {
    const int n = i / 12, c = i / 4 % 3, y = i / 2 % 2 * 2 + 1, x = i % 2 * 2 + 1;
    expected.push_back(
        std::max({0.0F, at(n, c, y, x), at(n, c, y, x + 1), at(n, c, y + 1, x), at(n, c, y + 1, x + 1)}));
  }
  EXPECT_THAT(outputs_of(shifted, images), Pointwise(::testing::FloatNear(1e-6F), expected));
}

TEST(Learner, LearnsASmallSetByHeart) {
  const auto learner = learner_of(small_cnn(0.0F));
  const auto batch = noise_batch(1);
  StepReport report;
  for (int i = 0; i < 80; ++i) report = learner->step(batch, {.learning_rate = 1e-2}).value();
  EXPECT_LT(report.loss, 0.05);
  EXPECT_EQ(report.correct, 6);
  const auto logits = learner->classify(batch.images).value();
  for (int i = 0; i < 6; ++i) EXPECT_EQ(model::argmax(logits.row(i)), batch.labels[static_cast<std::size_t>(i)]);
}

TEST(Learner, GivesTheSameBitsForTheSameSeed) {
  const auto train = [](std::uint64_t seed) {
    LearnerSettings settings;
    settings.seed = seed;
    const auto learner = learner_of(small_cnn(0.5F), settings);
    for (std::uint64_t i = 0; i < 5; ++i) EXPECT_TRUE(learner->step(noise_batch(i), {}));
    return learner->weights().value();
  };
  EXPECT_EQ(train(7), train(7));
  EXPECT_NE(train(7), train(8));
}

TEST(Learner, TrainsInBfloat16AsFarFromFloat32AsItsEightBitsGo) {
  const auto train = [](Precision precision) {
    LearnerSettings settings;
    settings.precision = precision;
    const auto learner = learner_of(small_cnn(0.0F), settings);
    std::vector<double> losses;
    for (int i = 0; i < 20; ++i) losses.push_back(learner->step(noise_batch(1), {}).value().loss);
    return std::pair(losses, learner->weights().value());
  };
  const auto [exact, exact_weights] = train(Precision::Float32);
  const auto [coarse, coarse_weights] = train(Precision::Bfloat16);
  for (std::size_t i = 0; i < exact.size(); ++i) EXPECT_NEAR(coarse[i], exact[i], 0.02 * exact[0]) << i;
  EXPECT_LT(coarse.back(), 0.8 * coarse.front());
  EXPECT_NE(coarse_weights, exact_weights);
  EXPECT_EQ(train(Precision::Bfloat16).second, coarse_weights);
}

class SavedState : public ::testing::TestWithParam<OptimizerKind> {};

TEST_P(SavedState, GoesOnToTheBit) {
  LearnerSettings settings;
  settings.optimizer.kind = GetParam();
  settings.ema_decay = 0.9;
  const auto first = learner_of(small_cnn(0.5F), settings);
  for (std::uint64_t i = 0; i < 3; ++i) ASSERT_TRUE(first->step(noise_batch(i), {}));
  const auto state = first->save_state().value();

  settings.seed = 99;  // everything comes from the state
  const auto second = learner_of(small_cnn(0.5F), settings);
  const auto loaded = second->load_state(state);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(second->weights().value(), first->weights().value());
  for (std::uint64_t i = 3; i < 6; ++i) {
    const auto expected = first->step(noise_batch(i), {}).value();
    EXPECT_EQ(second->step(noise_batch(i), {}).value().loss, expected.loss);
  }
  EXPECT_EQ(second->weights().value(), first->weights().value());
  const auto images = noise(4, 8, 9);
  EXPECT_EQ(second->classify(images).value().data, first->classify(images).value().data);
  EXPECT_EQ(second->save_state().value(), first->save_state().value());
}

INSTANTIATE_TEST_SUITE_P(Learner, SavedState,
                         ::testing::Values(OptimizerKind::Sgd, OptimizerKind::Adam, OptimizerKind::AdamW,
                                           OptimizerKind::Muon));

TEST(Learner, RefusesAStateThatIsNotItsOwn) {
  const auto learner = learner_of(small_cnn(0.0F));
  const auto before = learner->weights().value();
  EXPECT_THAT(learner->load_state(learner_of(norm_linear())->save_state().value()).error().message,
              HasSubstr("of another network or optimiser"));
  EXPECT_THAT(
      learner->load_state(learner_of(small_cnn(0.0F), sgd(0.9, true, 0.0))->save_state().value()).error().message,
      HasSubstr("of another network or optimiser"));
  const auto state = learner->save_state().value();
  for (std::size_t size = 0; size < state.size(); size += state.size() / 12) {
    EXPECT_FALSE(learner->load_state(std::string_view(state).substr(0, size))) << size;
  }
  EXPECT_FALSE(learner->load_state(std::string(1000, 'x')));
  EXPECT_EQ(learner->weights().value(), before);
}

TEST(Learner, TakesAndGivesWeightsUnchanged) {
  const auto from = learner_of(small_cnn(0.0F));
  ASSERT_TRUE(from->step(noise_batch(1), {.learning_rate = 0.1}));
  const auto weights = from->weights().value();
  LearnerSettings other;
  other.seed = 2;
  other.ema_decay = 0.99;
  const auto to = learner_of(small_cnn(0.0F), other);
  ASSERT_TRUE(to->set_weights(weights));
  EXPECT_EQ(to->weights().value(), weights);
  const auto images = noise(4, 8, 3);
  EXPECT_EQ(to->classify(images).value().data, from->classify(images).value().data);
  auto missing = weights;
  missing.erase("fc.bias");
  EXPECT_EQ(to->set_weights(missing).error().code, ErrorCode::InvalidArgument);
  auto bent = weights;
  bent["fc.bias"] = {{4}, {1.0F, 2.0F, 3.0F, 4.0F}};
  EXPECT_THAT(to->set_weights(bent).error().message, HasSubstr("fc.bias"));
}

/// What the weights' exponential average comes to after four steps, beside what the learner says it is.
void expect_average(bool given, const std::function<double(int)>& decay_of) {
  auto settings = sgd(0.9, true, 0.0);
  const auto plain = learner_of(small_cnn(0.0F), settings);
  settings.ema_decay = 0.22;
  const auto averaging = learner_of(small_cnn(0.0F), settings);
  auto expected = plain->weights().value();
  if (given) {
    ASSERT_TRUE(averaging->set_weights(expected));
  }
  for (int t = 1; t <= 4; ++t) {
    const auto batch = noise_batch(static_cast<std::uint64_t>(t));
    ASSERT_TRUE(plain->step(batch, {.learning_rate = 0.05}));
    ASSERT_TRUE(averaging->step(batch, {.learning_rate = 0.05}));
    const auto weights = plain->weights().value();
    for (const auto& [name, now] : weights) {
      for (std::size_t i = 0; i < now.data.size(); ++i) {
        float& average = expected.at(name).data[i];
        average = static_cast<float>(std::lerp(double{now.data[i]}, double{average}, decay_of(t)));
      }
    }
  }
  const auto averages = averaging->weights().value();
  for (const auto& [name, tensor] : expected) {
    EXPECT_THAT(averages.at(name).data, Pointwise(::testing::FloatNear(1e-5F), tensor.data)) << name;
  }
  const auto judge = learner_of(small_cnn(0.0F));
  ASSERT_TRUE(judge->set_weights(averages));
  const auto images = noise(4, 8, 3);
  EXPECT_EQ(averaging->classify(images).value().data, judge->classify(images).value().data);
}

TEST(Learner, AveragesWeightsWithADecayThatGrowsToItsSetting) {
  expect_average(false, [](int t) { return t == 1 ? 2.0 / 11.0 : 0.22; });  // min(0.22, (1 + t) / (10 + t))
}

TEST(Learner, AveragesWeightsThatWereGivenWithTheDecayItself) {
  expect_average(true, [](int) { return 0.22; });
}

TEST(Learner, AStateKnowsThatTheWeightsWereGiven) {
  LearnerSettings settings;
  settings.ema_decay = 0.9;
  const auto first = learner_of(small_cnn(0.0F), settings);
  ASSERT_TRUE(first->set_weights(first->weights().value()));
  ASSERT_TRUE(first->step(noise_batch(0), {}));
  const auto second = learner_of(small_cnn(0.0F), settings);
  ASSERT_TRUE(second->load_state(first->save_state().value()));
  ASSERT_TRUE(first->step(noise_batch(1), {}));
  ASSERT_TRUE(second->step(noise_batch(1), {}));
  EXPECT_EQ(second->weights().value(), first->weights().value());
}

TEST(Learner, DropsOutInTrainingOnly) {
  model::Graph graph{"dropout", {3, 8, 8}, {}};
  graph.then("flatten", model::Flatten{});
  graph.then("dropout", model::Dropout{0.5F});
  graph.then("fc", model::Linear{3});
  const auto learner = learner_of(graph, sgd(0.0, false, 0.0));
  const auto batch = noise_batch(1);
  const auto before = learner->classify(batch.images).value().data;
  const double first = learner->step(batch, {.learning_rate = 0.0}).value().loss;
  const double second = learner->step(batch, {.learning_rate = 0.0}).value().loss;
  EXPECT_NE(first, second);
  EXPECT_EQ(learner->classify(batch.images).value().data, before);
}

model::Graph whitened(int filters, bool bias) {
  model::Graph graph{"whitened", {3, 6, 6}, {}};
  graph.then(
      "whiten",
      model::Conv2d{
          .out_channels = filters, .kernel = 2, .bias = bias, .init = model::Init::Whitening, .freeze_weight = true});
  return graph;
}

TEST(Learner, WhiteningFiltersMakePatchesUncorrelatedWithUnitVariance) {
  constexpr int kHalf = 8, kPlaces = 25;
  auto graph = whitened(2 * kHalf, false);
  graph.then("flatten", model::Flatten{});
  graph.then("fc", model::Linear{2});
  auto images = noise(200, 6, 4);
  for (int n = 0; n < images.n; ++n) {  // neighbours and colours that go together, as in photographs
    const auto item = images.item(n);
    for (std::size_t i = item.size() - 1; i > 0; --i) item[i] = item[i] + 0.7F * item[i - 1] + 0.2F * item[0];
  }
  const auto learner = learner_of(graph);
  ASSERT_TRUE(learner->initialize_from(images));
  const auto filters = learner->weights().value().at("whiten.weight");
  ASSERT_EQ(filters.shape, (std::vector<std::int64_t>{2 * kHalf, 3, 2, 2}));

  std::vector<std::vector<double>> moments(kHalf, std::vector<double>(kHalf, 0.0));
  for (int n = 0; n < images.n; ++n) {
    for (int place = 0; place < kPlaces; ++place) {
      std::vector<double> answers;
      for (std::size_t f = 0; f < kHalf; ++f) {
        double sum = 0.0;
        for (std::size_t k = 0; k < 12; ++k) {  // k = channel, row, column
          const auto y = static_cast<std::size_t>(place) / 5 + k / 2 % 2,
                     x = static_cast<std::size_t>(place) % 5 + k % 2;
          sum += static_cast<double>(filters.data[f * 12 + k]) *
                 static_cast<double>(images.item(n)[(k / 4 * 6 + y) * 6 + x]);
        }
        answers.push_back(sum);
      }
      for (std::size_t i = 0; i < kHalf; ++i)
        for (std::size_t j = 0; j < kHalf; ++j) moments[i][j] += answers[i] * answers[j] / (images.n * kPlaces);
    }
  }
  for (std::size_t i = 0; i < kHalf; ++i)
    for (std::size_t j = 0; j < kHalf; ++j) EXPECT_NEAR(moments[i][j], i == j ? 1.0 : 0.0, 0.01) << i << ", " << j;
  for (std::size_t k = 0; k < kHalf * 12; ++k) EXPECT_EQ(filters.data[k], -filters.data[kHalf * 12 + k]);
}

TEST(Learner, KeepsFrozenWeightsAndAFrozenWhiteningBias) {
  auto graph = whitened(4, true);
  graph.then("relu", model::Activate{});
  graph.then("pool", model::GlobalAveragePool{});
  graph.then("fc", model::Linear{2});
  auto settings = sgd(0.9, true, 0.1);
  const auto learner = learner_of(graph, settings);
  ASSERT_TRUE(learner->initialize_from(noise(50, 6, 4)));
  const Batch batch{noise(4, 6, 2), {0, 1, 1, 0}};
  const auto start = learner->weights().value();
  EXPECT_THAT(start.at("whiten.bias").data, Each(0.0F));
  ASSERT_TRUE(learner->step(batch, {.learning_rate = 0.5, .whitening_bias_rate = std::nullopt}));
  const auto frozen = learner->weights().value();
  EXPECT_EQ(frozen.at("whiten.weight"), start.at("whiten.weight"));
  EXPECT_EQ(frozen.at("whiten.bias"), start.at("whiten.bias"));
  EXPECT_NE(frozen.at("fc.weight"), start.at("fc.weight"));
  ASSERT_TRUE(learner->step(batch, {.learning_rate = 0.5}));
  const auto free = learner->weights().value();
  EXPECT_EQ(free.at("whiten.weight"), start.at("whiten.weight"));
  EXPECT_NE(free.at("whiten.bias"), start.at("whiten.bias"));
}

TEST(Learner, RefusesWhiteningThatCannotBe) {
  for (const int filters : {3, 26}) {  // odd; more than twice the 12 values of a patch
    auto graph = whitened(filters, false);
    graph.then("flatten", model::Flatten{});
    graph.then("fc", model::Linear{2});
    const auto result = learner_of(graph)->initialize_from(noise(4, 6, 1));
    ASSERT_FALSE(result) << filters;
    EXPECT_THAT(result.error().message, HasSubstr(fmt::format("even number of filters up to 24, not {}", filters)));
  }
}

TEST(Learner, StartsIdentityConvolutionsAsCopiesAndTheRestAsPyTorchDoes) {
  model::Graph graph{"identity", {3, 4, 4}, {}};
  graph.then("conv",
             model::Conv2d{.out_channels = 5, .padding = model::Padding::same(3), .init = model::Init::Identity});
  graph.then("bn", model::BatchNorm2d{});
  graph.then("flatten", model::Flatten{});
  graph.then("fc", model::Linear{100});
  const auto weights = learner_of(graph)->weights().value();
  const auto& conv = weights.at("conv.weight").data;  // [5, 3, 3, 3]
  for (std::size_t i = 0; i < 3 * 27; ++i) EXPECT_EQ(conv[i], i % 27 == i / 27 * 9 + 4 ? 1.0F : 0.0F) << i;
  for (std::size_t i = 3 * 27; i < conv.size(); ++i) EXPECT_NE(conv[i], 0.0F);
  EXPECT_THAT(weights.at("conv.bias").data, Each(0.0F));
  EXPECT_THAT(weights.at("bn.weight").data, Each(1.0F));
  EXPECT_THAT(weights.at("bn.running_var").data, Each(1.0F));
  const float bound = 1.0F / std::sqrt(80.0F);  // kaiming_uniform_(a=sqrt(5)): 1 / sqrt(fan in)
  double squares = 0.0;
  for (const float w : weights.at("fc.weight").data) {
    EXPECT_LE(std::abs(w), bound);
    squares += static_cast<double>(w) * static_cast<double>(w);
  }
  EXPECT_NEAR(squares / 8000.0, 1.0 / 80.0 / 3.0, 0.03 / 80.0 / 3.0);  // variance of a uniform
}

TEST(Learner, SaysWhatIsWrongWithABatch) {
  const auto learner = learner_of(small_cnn(0.0F));
  auto batch = noise_batch(1);
  batch.labels[2] = 3;
  EXPECT_EQ(learner->step(batch, {}).error().message, "label 3, but 3 classes");
  batch.labels[2] = -1;
  EXPECT_EQ(learner->step(batch, {}).error().message, "label -1, but 3 classes");
  batch.labels.pop_back();
  EXPECT_EQ(learner->step(batch, {}).error().message, "5 labels for 6 images");
  EXPECT_THAT(learner->classify(noise(2, 6, 1)).error().message,
              HasSubstr("[3, 6, 6] for a network that takes [3, 8, 8]"));
  EXPECT_EQ(learner->classify(image::ImageBatch{.height = 8, .width = 8}).error().code, ErrorCode::InvalidArgument);
  auto cut = noise(2, 8, 1);
  cut.data.pop_back();
  EXPECT_EQ(learner->classify(cut).error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(learner->initialize_from(noise(2, 6, 1)).error().code, ErrorCode::InvalidArgument);
}

TEST(Learner, StopsWhenTheLossIsNoNumberAndLeavesTheWeights) {
  const auto learner = learner_of(linear(3));
  const auto before = learner->weights().value();
  auto batch = four_pixels({0, 1, 2, 0});
  batch.images.data[0] = std::numeric_limits<float>::quiet_NaN();
  const auto report = learner->step(batch, {.learning_rate = 0.25});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::Internal);
  EXPECT_EQ(report.error().message, "the loss became nan at learning rate 0.25: lower schedule.peak");
  EXPECT_EQ(learner->weights().value(), before);
}

TEST(Learner, IsNotMadeForAGraphWithNothingToTrain) {
  model::Graph graph{"empty", {3, 1, 1}, {}};
  graph.then("flatten", model::Flatten{});
  EXPECT_THAT(make_learner(graph, {}).error().message, HasSubstr("nothing to train"));
}

}  // namespace
}  // namespace imago::nn
