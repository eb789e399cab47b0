// SPDX-License-Identifier: Apache-2.0
// Teams whose members are threads of this process; tests/end_to_end/test_distributed.py has processes and machines.
#include "nn/communicator.hpp"

#include <gmock/gmock.h>

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "nn/test_networks.hpp"

namespace imago::nn {
namespace {

using namespace testing;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::HasSubstr;
using ::testing::Pointwise;

class LocalRendezvous final : public Rendezvous {
 public:
  Result<void> put(const std::string& key, const std::string& value) override {
    const std::scoped_lock lock(mutex_);
    values_[key] = value;
    changed_.notify_all();
    return {};
  }
  Result<std::optional<std::string>> find(const std::string& key) override {
    const std::scoped_lock lock(mutex_);
    const auto found = values_.find(key);
    return found == values_.end() ? std::nullopt : std::optional(found->second);
  }
  Result<std::string> get(const std::string& key) override {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, seconds(10), [&] { return values_.contains(key); }))
      return fail(ErrorCode::Timeout, "nobody put {}", key);
    return values_.at(key);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::string> values_;
};

/// Runs `work(communicator)` for each member of a team.
void in_team(int size, const std::function<void(Communicator&)>& work, milliseconds timeout = seconds(10)) {
  LocalRendezvous rendezvous;
  std::vector<std::thread> threads;
  for (int rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      auto team = connect({.rank = rank, .size = size, .local_rank = rank, .timeout = timeout}, rendezvous);
      ASSERT_TRUE(team) << team.error().message;
      work(**team);
    });
  }
  for (auto& thread : threads) thread.join();
}

Batch part_of(const Batch& whole, int begin, int end) {
  Batch part;
  part.images = whole.images;
  part.images.n = end - begin;
  const auto item = static_cast<std::ptrdiff_t>(whole.images.item_size());
  part.images.data.assign(whole.images.data.begin() + begin * item, whole.images.data.begin() + end * item);
  part.labels.assign(whole.labels.begin() + begin, whole.labels.begin() + end);
  return part;
}

TEST(Communicator, AddsWhatAllHaveAndTellsWhatTheFirstHas) {
  in_team(3, [](Communicator& team) {
    std::vector<double> values{1.0 + team.rank(), 0.1 * team.rank()};
    ASSERT_TRUE(team.sum(values));
    EXPECT_THAT(values, ElementsAre(6.0, ::testing::DoubleNear(0.3, 1e-15)));
    std::string text = team.rank() == 0 ? std::string(100'000, 'x') : "another";
    ASSERT_TRUE(team.broadcast(text));
    EXPECT_EQ(text, std::string(100'000, 'x'));
    std::string nothing = team.rank() == 0 ? "" : "another";
    ASSERT_TRUE(team.broadcast(nothing));
    EXPECT_EQ(nothing, "");
  });
}

TEST(Communicator, WithoutTheOthersAnExchangeEndsInTime) {
  in_team(
      2,
      [](Communicator& team) {
        std::vector<double> values{1.0};
        ASSERT_TRUE(team.sum(values));
        if (team.rank() == 1) return;
        const auto began = std::chrono::steady_clock::now();
        const auto lost = team.sum(values);
        ASSERT_FALSE(lost);
        EXPECT_EQ(lost.error().code, ErrorCode::Unavailable);
        EXPECT_THAT(lost.error().message, HasSubstr("another worker was lost"));
        EXPECT_LT(std::chrono::steady_clock::now() - began, seconds(5));
      },
      milliseconds(500));
}

/// Weights after `steps` batches of six, of which the first of two processes takes `first` images.
std::vector<model::Weights> trained_together(const model::Graph& graph, const LearnerSettings& settings, int first,
                                             std::vector<double>* losses = nullptr) {
  std::vector<model::Weights> weights(2);
  in_team(2, [&](Communicator& team) {
    LearnerSettings mine = settings;
    mine.team = &team;
    const auto learner = learner_of(graph, mine);
    for (std::uint64_t i = 0; i < 5; ++i) {
      const Batch batch = noise_batch(i);
      const auto report = learner->step(team.rank() == 0 ? part_of(batch, 0, first) : part_of(batch, first, 6), {0.1});
      ASSERT_TRUE(report) << report.error().message;
      if (losses != nullptr && team.rank() == 0) losses->push_back(report->loss);
    }
    weights[static_cast<std::size_t>(team.rank())] = learner->weights().value();
  });
  return weights;
}

std::vector<double> trained_alone(const model::Graph& graph, const LearnerSettings& settings, model::Weights& weights) {
  const auto learner = learner_of(graph, settings);
  std::vector<double> losses;
  for (std::uint64_t i = 0; i < 5; ++i) losses.push_back(learner->step(noise_batch(i), {0.1}).value().loss);
  weights = learner->weights().value();
  return losses;
}

model::Graph plain_cnn() {
  model::Graph graph{"plain-cnn", {3, 8, 8}, {}};
  graph.then("conv", model::Conv2d{.out_channels = 8, .padding = model::Padding::same(3)});
  graph.then("relu", model::Activate{});
  graph.then("pool", model::Pool2d{});
  graph.then("flatten", model::Flatten{});
  graph.then("fc", model::Linear{3});
  return graph;
}

void expect_as_alone(const LearnerSettings& settings, int first) {
  std::vector<double> losses;
  const auto together = trained_together(plain_cnn(), settings, first, &losses);
  model::Weights alone;
  const auto expected = trained_alone(plain_cnn(), settings, alone);
  EXPECT_THAT(losses, Pointwise(::testing::DoubleNear(1e-5), expected));
  for (const auto& [name, tensor] : alone) {
    EXPECT_THAT(together[0].at(name).data, Pointwise(FloatNear(1e-5F), tensor.data)) << name;
    EXPECT_EQ(together[0].at(name).data, together[1].at(name).data) << name;
  }
}

TEST(Team, TakesTheStepsOfASingleProcessWithTheWholeBatch) { expect_as_alone(sgd(0.9, true, 5e-4), 3); }

TEST(Team, TakesThemWithUnevenPartsAndClassWeightsToo) {
  LearnerSettings settings = sgd(0.9, true, 0.0);
  settings.loss.class_weights = {1.0, 0.5, 4.0};
  expect_as_alone(settings, 2);
}

TEST(Team, HasTheSameRunningStatisticsEverywhere) {
  const auto weights = trained_together(small_cnn(0.0F), sgd(0.9, true, 0.0), 3);
  for (const auto& [name, tensor] : weights[0]) EXPECT_EQ(tensor.data, weights[1].at(name).data) << name;
}

TEST(Team, DropsOutOtherUnitsInEachProcessAndTheSameWhenResumed) {
  const model::Graph graph = small_cnn(0.5F);
  std::vector<model::Weights> whole(2);
  std::vector<model::Weights> resumed(2);
  in_team(2, [&](Communicator& team) {
    const auto rank = static_cast<std::size_t>(team.rank());
    LearnerSettings settings = sgd(0.9, true, 0.0);
    settings.team = &team;
    const auto unbroken = learner_of(graph, settings);
    std::string state;
    const auto go_on = [&](Learner& learner, std::uint64_t begin, std::uint64_t end) {
      for (std::uint64_t i = begin; i < end; ++i) {
        const Batch batch = noise_batch(i);
        ASSERT_TRUE(learner.step(part_of(batch, team.rank() * 3, team.rank() * 3 + 3), {0.1}));
      }
    };
    go_on(*unbroken, 0, 2);
    if (team.rank() == 0) state = unbroken->save_state().value();
    ASSERT_TRUE(team.broadcast(state));
    const auto other = learner_of(graph, settings);
    ASSERT_TRUE(other->load_state(state));
    go_on(*unbroken, 2, 4);
    go_on(*other, 2, 4);
    whole[rank] = unbroken->weights().value();
    resumed[rank] = other->weights().value();
  });
  for (const auto& [name, tensor] : whole[0]) {
    EXPECT_EQ(tensor.data, whole[1].at(name).data) << name;
    EXPECT_EQ(tensor.data, resumed[0].at(name).data) << name;
    EXPECT_EQ(tensor.data, resumed[1].at(name).data) << name;
  }
}

TEST(Team, LeavesALearnerAsItWasBeforeAStepThatFails) {
  in_team(
      2,
      [&](Communicator& team) {
        LearnerSettings settings = sgd(0.9, true, 0.0);
        settings.team = &team;
        const auto learner = learner_of(small_cnn(0.0F), settings);
        const auto part = [&](std::uint64_t i) {
          return part_of(noise_batch(i), team.rank() * 3, team.rank() * 3 + 3);
        };
        ASSERT_TRUE(learner->step(part(0), {0.1}));
        if (team.rank() == 1) return;
        const auto before = learner->weights().value();
        const auto lost = learner->step(part(1), {0.1});
        ASSERT_FALSE(lost);
        EXPECT_EQ(lost.error().code, ErrorCode::Unavailable);
        const auto after = learner->weights().value();
        for (const auto& [name, tensor] : before) EXPECT_EQ(tensor.data, after.at(name).data) << name;
      },
      milliseconds(500));
}

}  // namespace
}  // namespace imago::nn
