// SPDX-License-Identifier: Apache-2.0
#include "infer/warm_up.hpp"

#include <gmock/gmock.h>

namespace imago::infer {
namespace {

constexpr model::InputShape kInput{3, 2, 2};

/// Notes the sizes of what it is asked.
class NotingClassifier final : public model::Classifier {
 public:
  NotingClassifier(std::vector<int>& sizes, int fails_at) : sizes_(sizes), fails_at_(fails_at) {}
  [[nodiscard]] int classes() const override { return 1; }
  Result<model::Logits> classify(const image::ImageBatch& batch) override {
    EXPECT_EQ(batch.data.size(), static_cast<std::size_t>(batch.n) * 12);
    sizes_.push_back(batch.n);
    if (batch.n == fails_at_) return fail(ErrorCode::Internal, "no batches of {}", batch.n);
    return model::Logits{.n = batch.n, .classes = 1, .data = std::vector<float>(static_cast<std::size_t>(batch.n))};
  }

 private:
  std::vector<int>& sizes_;
  const int fails_at_;
};

std::vector<int> sizes_asked(int max_batch, int fails_at = 0) {
  std::vector<std::vector<int>> sizes(2);
  std::vector<std::unique_ptr<model::Classifier>> engines;
  for (auto& own : sizes) engines.push_back(std::make_unique<NotingClassifier>(own, fails_at));
  warm_up(engines, kInput, max_batch);
  EXPECT_EQ(sizes[0], sizes[1]) << "every engine on its own";
  return sizes[0];
}

TEST(WarmUp, ComputesTheSmallestAndTheLargestBatchFirst) {
  EXPECT_THAT(sizes_asked(4), testing::ElementsAre(1, 4, 2, 3));
  EXPECT_THAT(sizes_asked(1), testing::ElementsAre(1, 1));
}
TEST(WarmUp, LeavesOutSizesOfLargeBatches) {
  EXPECT_THAT(sizes_asked(32), testing::ElementsAre(1, 32, 2, 3, 4, 5, 6, 7, 8, 16));
  EXPECT_EQ(sizes_asked(1024), sizes_asked(32));
}
TEST(WarmUp, StopsWhereAnEngineFails) { EXPECT_THAT(sizes_asked(4, 4), testing::ElementsAre(1, 4)); }

}  // namespace
}  // namespace imago::infer
