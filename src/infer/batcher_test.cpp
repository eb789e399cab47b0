// SPDX-License-Identifier: Apache-2.0
#include "infer/batcher.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <future>
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

}  // namespace
}  // namespace imago::infer
