// SPDX-License-Identifier: Apache-2.0
// Teams whose members are threads and whose exchanges are a sum under a lock.
#include "train/sharding.hpp"

#include <gmock/gmock.h>

#include <barrier>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "train/checkpoint.hpp"
#include "train/loader.hpp"
#include "train/test_learner.hpp"
#include "train/test_split.hpp"
#include "train/validation.hpp"

namespace imago::train {
namespace {

using ::testing::HasSubstr;

/// What the members of a team share.
struct Table {
  explicit Table(int members) : size(members), meet(members) {}
  const int size;
  std::barrier<> meet;
  std::mutex mutex;
  std::vector<double> sums;
  std::string bytes;
};

class Member final : public nn::Communicator {
 public:
  Member(Table& table, int rank, int exchanges) : table_(table), rank_(rank), left_(exchanges) {}

  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return table_.size; }
  [[nodiscard]] int local_rank() const override { return rank_; }

  Result<void> sum(std::span<double> values) override {
    if (left_-- == 0) return fail(ErrorCode::Unavailable, "another worker was lost");
    {
      const std::scoped_lock lock(table_.mutex);
      table_.sums.clear();
    }
    table_.meet.arrive_and_wait();
    {
      const std::scoped_lock lock(table_.mutex);
      table_.sums.resize(values.size());
      for (std::size_t i = 0; i < values.size(); ++i) table_.sums[i] += values[i];
    }
    table_.meet.arrive_and_wait();
    std::ranges::copy(table_.sums, values.begin());
    table_.meet.arrive_and_wait();
    return {};
  }
  Result<void> sum(at::Tensor& /*values*/) override { return fail(ErrorCode::Unsupported, "no tensors here"); }
  Result<void> broadcast(std::string& bytes) override {
    if (rank_ == 0) table_.bytes = bytes;
    table_.meet.arrive_and_wait();
    bytes = table_.bytes;
    table_.meet.arrive_and_wait();
    return {};
  }

 private:
  Table& table_;
  const int rank_;
  int left_;  // exchanges that work; negative: all
};

void in_team(int size, const std::function<void(nn::Communicator&)>& work, int exchanges = -1) {
  Table table(size);
  std::vector<std::thread> threads;
  for (int rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      Member member(table, rank, exchanges);
      work(member);
    });
  }
  for (auto& thread : threads) thread.join();
}

TEST(Sharding, CutsABatchIntoNeighbouringPartsOfAboutTheSameSize) {
  for (const std::size_t n : {1U, 5U, 6U, 512U}) {
    for (const int size : {1, 2, 3, 7}) {
      std::size_t next = 0;
      for (int rank = 0; rank < size; ++rank) {
        const Slice slice = slice_of(n, rank, size);
        EXPECT_EQ(slice.begin, next);
        EXPECT_LE(slice.size, n / static_cast<std::size_t>(size) + 1);
        EXPECT_GE(slice.size, n / static_cast<std::size_t>(size));
        next += slice.size;
      }
      EXPECT_EQ(next, n);
    }
  }
}

TEST(Sharding, StopsAllWhenOneIsAskedToAndFollowsTheFirstsClock) {
  in_team(3, [](nn::Communicator& team) {
    const Sharding sharding(&team);
    const bool last = team.rank() == 2;
    auto turn = sharding.agree({.stop = last, .out_of_time = last, .progress = 0.1 * (team.rank() + 1)});
    ASSERT_TRUE(turn);
    EXPECT_TRUE(turn->stop);
    EXPECT_FALSE(turn->out_of_time);
    EXPECT_EQ(turn->progress, 0.1);
    turn = sharding.agree({.stop = false, .out_of_time = !last && team.rank() == 0, .progress = 0.2});
    EXPECT_FALSE(turn->stop);
    EXPECT_TRUE(turn->out_of_time);
  });
}

class Team : public testing::SplitTest {
 protected:
  Team() : train_(open(data::Split::Train)), validation_(open(data::Split::Validation)) {}

  [[nodiscard]] std::vector<nn::Batch> load(LoaderSettings settings, int rank, int ranks) {
    settings.rank = rank;
    settings.ranks = ranks;
    BatchLoader loader(train_, preprocess_, settings, 1);
    std::vector<nn::Batch> batches;
    while (auto batch = loader.next()) batches.push_back(std::move(*batch));
    return batches;
  }

  /// The parts of every batch, put together, are the batch of a single process.
  void expect_parts_of_the_whole(const LoaderSettings& settings, int ranks) {
    const auto whole = load(settings, 0, 1);
    std::vector<nn::Batch> joined(whole.size());
    for (int rank = 0; rank < ranks; ++rank) {
      const auto parts = load(settings, rank, ranks);
      ASSERT_EQ(parts.size(), whole.size());
      for (std::size_t i = 0; i < parts.size(); ++i) {
        const auto append = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
        append(joined[i].images.data, parts[i].images.data);
        append(joined[i].labels, parts[i].labels);
        append(joined[i].second_labels, parts[i].second_labels);
        append(joined[i].weights, parts[i].weights);
      }
    }
    for (std::size_t i = 0; i < whole.size(); ++i) {
      EXPECT_EQ(joined[i].images.data, whole[i].images.data) << i;
      EXPECT_EQ(joined[i].labels, whole[i].labels) << i;
      EXPECT_EQ(joined[i].second_labels, whole[i].second_labels) << i;
      EXPECT_EQ(joined[i].weights, whole[i].weights) << i;
    }
  }

  data::PackedSplit train_, validation_;
};

TEST_F(Team, SeesTogetherTheAugmentedBatchesOfASingleProcess) {
  LoaderSettings settings{.batch_size = 7, .seed = 3, .augmentation = {}};
  settings.augmentation = {.flip = data::Flip::Random, .crop_padding = 1, .brightness = 0.5};
  for (const int ranks : {2, 3, 7}) expect_parts_of_the_whole(settings, ranks);
}

TEST_F(Team, MixesImagesWithThePartnersTheyHaveInTheWholeBatch) {
  LoaderSettings settings{.batch_size = 7, .seed = 3, .augmentation = {}};
  settings.augmentation.mixup = 0.4;
  settings.augmentation.cutmix = 1.0;
  for (const int ranks : {2, 3, 7}) expect_parts_of_the_whole(settings, ranks);
}

TEST_F(Team, StartsEverybodyFromTheFirstsWeightsAndLetsItAloneWriteCheckpoints) {
  TrainSettings settings;
  settings.epochs = 2;
  settings.batch_size = 6;
  settings.schedule.peak = 0.0;  // then the learner's number depends on where it began, and not on its images
  std::vector<double> numbers(2);
  in_team(2, [&](nn::Communicator& team) {
    const auto rank = static_cast<std::size_t>(team.rank());
    FakeClock clock;
    testing::FakeLearner learner(clock);
    learner.number = 3.0 - team.rank();
    TrainSettings mine = settings;
    mine.team = &team;
    const std::atomic<bool> stop = false;
    Observer observer;
    const auto outcome = fit(learner, {train_, validation_, preprocess_}, mine, folder() / fmt::format("run{}", rank),
                             false, stop, observer, clock);
    ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_EQ(outcome->epochs_done, 2);
    numbers[rank] = learner.number;
  });
  EXPECT_GT(numbers[0], 0.0);
  EXPECT_EQ(numbers[0], numbers[1]);
  EXPECT_FALSE(fs::exists(folder() / "run1"));
}

TEST_F(Team, ThatLosesAMemberLeavesACheckpointToGoOnFrom) {
  in_team(
      2,
      [&](nn::Communicator& team) {
        FakeClock clock;
        testing::FakeLearner learner(clock);
        TrainSettings settings;
        settings.epochs = 2;
        settings.batch_size = 5;
        settings.team = &team;
        const std::atomic<bool> stop = false;
        Observer observer;
        const auto outcome =
            fit(learner, {train_, validation_, preprocess_}, settings, folder() / "run", false, stop, observer, clock);
        ASSERT_FALSE(outcome);
        EXPECT_EQ(outcome.error().code, ErrorCode::Unavailable);
      },
      3);
  const auto checkpoint = read_checkpoint(folder() / "run" / "checkpoint.bin");
  ASSERT_TRUE(checkpoint) << checkpoint.error().message;
  EXPECT_EQ(checkpoint->progress.steps, 3);
}

TEST_F(Team, LargerThanABatchIsRefused) {
  in_team(3, [&](nn::Communicator& team) {
    FakeClock clock;
    testing::FakeLearner learner(clock);
    TrainSettings settings;
    settings.batch_size = 2;
    settings.team = &team;
    const std::atomic<bool> stop = false;
    Observer observer;
    const auto outcome =
        fit(learner, {train_, validation_, preprocess_}, settings, folder() / "run", false, stop, observer, clock);
    ASSERT_FALSE(outcome);
    EXPECT_THAT(outcome.error().message, HasSubstr("too small for 3 workers"));
  });
}

}  // namespace
}  // namespace imago::train
