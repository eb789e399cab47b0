// SPDX-License-Identifier: Apache-2.0
#include "infer/batcher.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "infer/tiny_package.hpp"

namespace imago::infer {
namespace {

using std::chrono::steady_clock;
using testing::HasSubstr;

constexpr auto kNever = steady_clock::time_point::max();

std::vector<float> image_of(int index) { return waves(index, 1).data; }

class BatcherTest : public testing::Test {
 protected:
  /// Occupies the only worker until open_gate: `submit` then meets a queue that nobody empties.
  void close_gate(Batcher& batcher) {
    std::promise<void> reached;
    auto arrived = reached.get_future();
    ASSERT_TRUE(batcher.submit(image_of(0), kNever, [this, &reached](auto, auto) {
      reached.set_value();
      gate_.get_future().wait();
    }));
    arrived.wait();
  }
  void open_gate() { gate_.set_value(); }

  TinyPackage tiny_{"tiny", 3};
  std::unique_ptr<Engine> engine_ = tiny_.load({.threads = 1});
  std::promise<void> gate_;
};

TEST(FittingBatch, IsOneLargeImageOrEightSmallOnes) {
  EXPECT_EQ(fitting_batch({3, 32, 32}), 8);
  EXPECT_EQ(fitting_batch({1, 1, 1}), 8);
  EXPECT_EQ(fitting_batch({3, 128, 128}), 4);
  EXPECT_EQ(fitting_batch({3, 224, 224}), 1);
  EXPECT_EQ(fitting_batch({3, 512, 512}), 1);
}

TEST_F(BatcherTest, GivesEachImageItsOwnLogitsUnderLoadFromManyThreads) {
  Batcher batcher(*engine_, {.workers = 2, .max_batch = 7, .max_queue = 10'000});
  std::atomic<int> right = 0;
  std::vector<std::thread> clients;
  for (int t = 0; t < 4; ++t)
    clients.emplace_back([&] {
      for (int i = 0; i < 250; ++i) {
        const auto expected = kTinyLogits[static_cast<std::size_t>(i % 5)];
        std::promise<void> answered;
        const auto check = [&, expected](Result<std::vector<float>> logits, Timing timing) {
          const bool good = logits && logits->size() == 3 && std::abs((*logits)[0] - expected[0]) < 1e-5F &&
                            std::abs((*logits)[1] - expected[1]) < 1e-5F && timing.batch_size >= 1 &&
                            timing.batch_size <= 7;
          right += good ? 1 : 0;
          answered.set_value();
        };
        ASSERT_TRUE(batcher.submit(image_of(i % 5), kNever, check));
        answered.get_future().wait();
      }
    });
  for (auto& client : clients) client.join();
  EXPECT_EQ(right, 1000);
}

TEST_F(BatcherTest, MakesBatchesOfWhatWaits) {
  std::vector<int> sizes;
  {
    Batcher batcher(*engine_, {.workers = 1, .max_batch = 4, .max_queue = 100});
    close_gate(batcher);
    for (int i = 0; i < 10; ++i)
      ASSERT_TRUE(batcher.submit(image_of(i % 5), kNever,
                                 [&sizes](auto, Timing timing) { sizes.push_back(timing.batch_size); }));
    EXPECT_EQ(batcher.queued(), 10U);
    open_gate();
  }
  EXPECT_EQ(sizes, (std::vector<int>{4, 4, 4, 4, 4, 4, 4, 4, 2, 2}));
}

TEST_F(BatcherTest, RefusesAtOnceWhenTheQueueIsFullAndAnswersAllItTook) {
  int answered = 0;
  {
    Batcher batcher(*engine_, {.workers = 1, .max_batch = 2, .max_queue = 3});
    close_gate(batcher);
    const auto count = [&answered](const auto& logits, Timing) { answered += logits ? 1 : 0; };
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(batcher.submit(image_of(i), kNever, count));
    const auto refused = batcher.submit(image_of(4), kNever, count);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::ResourceExhausted);
    open_gate();
  }
  EXPECT_EQ(answered, 3) << "the destructor answers what is queued";
}

TEST_F(BatcherTest, DropsExpiredImagesWithoutComputingThem) {
  std::vector<std::string> answers;
  {
    Batcher batcher(*engine_, {.workers = 1, .max_batch = 8, .max_queue = 100});
    close_gate(batcher);
    const auto note = [&answers](const Result<std::vector<float>>& logits, Timing timing) {
      answers.push_back(fmt::format("{} {}", logits ? "ok" : to_string(logits.error().code), timing.batch_size));
    };
    ASSERT_TRUE(batcher.submit(image_of(1), steady_clock::now() - std::chrono::seconds(1), note));
    ASSERT_TRUE(batcher.submit(image_of(2), kNever, note));
    open_gate();
  }
  EXPECT_EQ(answers, (std::vector<std::string>{"timeout 0", "ok 1"}));
}

TEST_F(BatcherTest, RefusesAnImageOfAnotherSizeBeforeItSpoilsABatch) {
  Batcher batcher(*engine_, {});
  const auto refused =
      batcher.submit(std::vector<float>(191), kNever, [](auto, auto) { FAIL() << "not accepted, not answered"; });
  EXPECT_EQ(refused.error().code, ErrorCode::InvalidArgument);
  EXPECT_THAT(refused.error().message, HasSubstr("191"));
}

/// In place of an engine: waits until it is let go on, a batch at a time, and gives each image's first number back.
class GatedClassifier final : public model::Classifier {
 public:
  struct Gate {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::vector<float>> begun;  // the batches that were started
    std::size_t let_through = 0;

    void let(std::size_t batches) {
      const std::scoped_lock lock(mutex);
      let_through += batches;
      changed.notify_all();
    }
    void await_begun(std::size_t batches) {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return begun.size() >= batches; });
    }
  };
  explicit GatedClassifier(std::shared_ptr<Gate> gate) : gate_(std::move(gate)) {}
  [[nodiscard]] int classes() const override { return 1; }
  Result<model::Logits> classify(const image::ImageBatch& batch) override {
    model::Logits logits{.n = batch.n, .classes = 1, .data = {}};
    for (int i = 0; i < batch.n; ++i) logits.data.push_back(batch.data[static_cast<std::size_t>(i) * 3]);
    std::unique_lock lock(gate_->mutex);
    gate_->begun.push_back(logits.data);
    gate_->changed.notify_all();
    gate_->changed.wait(lock, [&] { return gate_->let_through > 0; });
    --gate_->let_through;
    return logits;
  }

 private:
  std::shared_ptr<Gate> gate_;
};

class GatedBatcher : public testing::Test {
 protected:
  void start(const BatcherOptions& options) {
    std::vector<std::unique_ptr<model::Classifier>> engines;
    engines.push_back(std::make_unique<GatedClassifier>(gate_));
    batcher_ = std::make_unique<Batcher>(std::move(engines), model::InputShape{3, 1, 1}, options);
  }
  void submit(float number, Priority priority = Priority::Normal) {
    const auto note = [this, number](const auto& logits, Timing) {
      const std::scoped_lock lock(mutex_);
      answers_.push_back(logits ? fmt::format("{}", (*logits)[0])
                                : fmt::format("{} {}", number, to_string(logits.error().code)));
    };
    ASSERT_TRUE(batcher_->submit({number, 0, 0}, kNever, note, priority));
  }

  std::shared_ptr<GatedClassifier::Gate> gate_ = std::make_shared<GatedClassifier::Gate>();
  std::mutex mutex_;
  std::vector<std::string> answers_;
  std::unique_ptr<Batcher> batcher_;
};

TEST_F(GatedBatcher, ComputesByPriority) {
  start({.max_batch = 2, .max_queue = 10});
  submit(0);
  gate_->await_begun(1);
  submit(1, Priority::Low);
  submit(2, Priority::Normal);
  submit(3, Priority::High);
  submit(4, Priority::High);
  gate_->let(3);
  batcher_.reset();
  EXPECT_THAT(gate_->begun,
              testing::ElementsAre(std::vector<float>{0}, std::vector<float>{3, 4}, std::vector<float>{2, 1}));
}

TEST_F(GatedBatcher, AnswersTheOneThatGivesUpItsPlace) {
  start({.max_batch = 1, .max_queue = 2});
  submit(0);
  gate_->await_begun(1);
  submit(1, Priority::Low);
  submit(2, Priority::Low);
  EXPECT_FALSE(batcher_->admits(Priority::Low));
  EXPECT_TRUE(batcher_->admits(Priority::High));
  submit(3, Priority::High);
  gate_->let(3);
  batcher_.reset();
  EXPECT_THAT(answers_, testing::ElementsAre("2 resource_exhausted", "0", "3", "1"));
}

TEST_F(GatedBatcher, LetsALoneRequestWaitForNobodyHoweverLongTheDelay) {
  start({.max_batch = 8, .max_queue = 10, .max_delay = std::chrono::hours(1)});
  gate_->let(100);
  for (int i = 0; i < 20; ++i) {
    submit(static_cast<float>(i));
    gate_->await_begun(static_cast<std::size_t>(i) + 1);
  }
  EXPECT_EQ(gate_->begun.size(), 20U);
}

TEST_F(GatedBatcher, WaitsForTheBatchToFillWhileThereIsCompany) {
  start({.max_batch = 3, .max_queue = 10, .max_delay = std::chrono::hours(1)});
  submit(0);
  gate_->await_begun(1);
  submit(1);
  submit(2);
  gate_->let(1);
  gate_->await_begun(2);  // 1 and 2 at once: the batch before them was of one
  submit(3);
  gate_->let(2);
  submit(4);
  submit(5);  // an hour has not passed: the batch is full
  gate_->await_begun(3);
  batcher_.reset();
  EXPECT_THAT(gate_->begun,
              testing::ElementsAre(std::vector<float>{0}, std::vector<float>{1, 2}, std::vector<float>{3, 4, 5}));
}

TEST_F(GatedBatcher, DoesNotWaitForCompanyWhenItStops) {
  start({.max_batch = 3, .max_queue = 10, .max_delay = std::chrono::hours(1)});
  submit(0);
  gate_->await_begun(1);
  submit(1);
  submit(2);
  gate_->let(1);
  gate_->await_begun(2);
  submit(3);
  gate_->let(2);
  batcher_.reset();
  EXPECT_EQ(answers_.back(), "3");
}

TEST_F(GatedBatcher, ComputesInTurnsWithOthersOfItsBudget) {
  const auto budget = std::make_shared<ComputeBudget>(1);
  const auto batcher_of = [&] {
    std::vector<std::unique_ptr<model::Classifier>> engines;
    engines.push_back(std::make_unique<GatedClassifier>(gate_));
    return std::make_unique<Batcher>(std::move(engines), model::InputShape{3, 1, 1}, BatcherOptions{.max_batch = 8},
                                     budget);
  };
  auto other = batcher_of();
  batcher_ = batcher_of();
  submit(0);
  gate_->await_begun(1);
  std::vector<float> answers;
  for (const float number : {1.0F, 2.0F, 3.0F})
    ASSERT_TRUE(
        other->submit({number, 0, 0}, kNever, [&](const auto& logits, Timing) { answers.push_back((*logits)[0]); }));
  while (budget->waiting() == 0) std::this_thread::yield();
  EXPECT_EQ(gate_->begun.size(), 1U) << "two models do not compute at once on one slot";
  gate_->let(2);
  other.reset();
  EXPECT_THAT(gate_->begun, testing::ElementsAre(std::vector<float>{0}, std::vector<float>{1, 2, 3}))
      << "and what comes meanwhile makes a batch";
  EXPECT_THAT(answers, testing::ElementsAre(1, 2, 3));
}

TEST_F(GatedBatcher, TellsHowLongItsQueueTakesToDrain) {
  start({.max_batch = 1, .max_queue = 100});
  EXPECT_EQ(batcher_->time_to_drain().count(), 0);
  submit(0);
  gate_->await_begun(1);
  const auto begin = steady_clock::now();
  while (steady_clock::now() < begin + std::chrono::milliseconds(5)) std::this_thread::yield();
  submit(1);
  gate_->let(1);
  gate_->await_begun(2);
  EXPECT_EQ(batcher_->time_to_drain().count(), 0) << "nobody waits";
  for (int i = 0; i < 40; ++i) submit(2);
  EXPECT_GE(batcher_->time_to_drain(), std::chrono::milliseconds(40 * 4));
  gate_->let(41);
}

}  // namespace
}  // namespace imago::infer
