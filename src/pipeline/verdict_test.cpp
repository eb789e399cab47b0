// SPDX-License-Identifier: Apache-2.0
#include "pipeline/verdict.hpp"

#include <gmock/gmock.h>

#include "base/files.hpp"
#include "image/test_images.hpp"
#include "package/package.hpp"

namespace imago::pipeline {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

data::Manifest pets() {
  data::Manifest manifest{.name = "pets", .labels = {"cat", "dog"}};
  manifest.entries = {{.path = "a", .sha256 = "11", .label = 0, .split = data::Split::Train},
                      {.path = "b", .sha256 = "22", .label = 0, .split = data::Split::Test},
                      {.path = "c", .sha256 = "33", .label = 1, .split = data::Split::Test}};
  return manifest;
}

TEST(TestDigest, IsOfTheImagesAndTheirLabelsAlone) {
  const auto digest = digest_of(pets(), data::Split::Test);
  auto same = pets();
  same.name = "animals";
  std::swap(same.entries[1], same.entries[2]);
  same.entries[1].path = "elsewhere";
  same.entries.push_back({.path = "new", .sha256 = "44", .label = 1, .split = data::Split::Train});
  EXPECT_EQ(digest_of(same, data::Split::Test), digest);
  auto relabelled = pets();
  relabelled.entries[2].label = 0;
  EXPECT_NE(digest_of(relabelled, data::Split::Test), digest);
  auto more = pets();
  more.entries[0].split = data::Split::Test;
  EXPECT_NE(digest_of(more, data::Split::Test), digest);
}

TEST(FrozenSplit, IsTestOrValidationWhereThereIsNone) {
  EXPECT_EQ(frozen_split(pets()), data::Split::Test);
  auto without = pets();
  without.entries.resize(1);
  EXPECT_EQ(frozen_split(without), data::Split::Validation);
}

class FakeClassifier final : public model::Classifier {
 public:
  [[nodiscard]] int classes() const override { return 2; }
  Result<model::Logits> classify(const image::ImageBatch& batch) override {
    return model::Logits{
        .n = batch.n, .classes = 2, .data = std::vector<float>(static_cast<std::size_t>(batch.n) * 2, 0.5F)};
  }
};

model::ModelSpec spec() {
  model::ModelSpec spec;
  spec.name = "pets";
  spec.labels = {"cat", "dog"};
  spec.graph.architecture = "test";
  spec.graph.input = {3, 2, 2};
  spec.graph.then("pool", model::GlobalAveragePool{});
  spec.graph.then("linear", model::Linear{.out_features = 2, .bias = true});
  spec.preprocess.width = 2;
  spec.preprocess.height = 2;
  return spec;
}

class Judge : public testing::Test {
 protected:
  /// A champion that was measured on the test images of pets(); its network cannot be loaded.
  void register_champion(double accuracy) {
    const fs::path staged = folder_.path() / "staged";
    ASSERT_TRUE(make_directories(staged).has_value());
    ASSERT_TRUE(write_file(staged / "model.onnx", "onnx").has_value());
    ASSERT_TRUE(write_file(staged / "weights.safetensors", "weights").has_value());
    FakeClassifier classifier;
    ASSERT_TRUE(package::write_spec_and_golden(staged, spec(), {image::testing::decode_base64(image::testing::kBmp24)},
                                               classifier)
                    .has_value());
    const json::Value lineage{{"test_digest", digest_of(pets(), data::Split::Test)}};
    ASSERT_TRUE(package::seal_package(staged, {{"test", {{"accuracy", accuracy}}}}, lineage).has_value());
    ASSERT_TRUE(workspace_->models().register_package("pets", staged, "run-1", {"champion"}).has_value());
  }
  Verdict judge_at(double accuracy, double margin = 0.0) {
    auto verdict = judge(*workspace_, {.model = "pets", .accuracy = accuracy, .margin = margin}, pets(), {});
    EXPECT_TRUE(verdict.has_value()) << verdict.error().message;
    return verdict.value_or(Verdict{});
  }

  TemporaryDirectory folder_ = TemporaryDirectory::create(fs::temp_directory_path(), "verdict").value();
  std::unique_ptr<Workspace> workspace_ = Workspace::open(folder_.path()).value();
};

TEST_F(Judge, MakesTheFirstVersionChampion) {
  const auto verdict = judge_at(0.1);
  EXPECT_TRUE(verdict.champion);
  EXPECT_THAT(verdict.reason, HasSubstr("first version"));
  EXPECT_FALSE(verdict.previous_accuracy.has_value());
}

TEST_F(Judge, PromotesWhatIsNotWorseOnTheSameImages) {
  register_champion(0.75);
  const auto same = judge_at(0.75);
  EXPECT_TRUE(same.champion);
  EXPECT_EQ(same.reason, "champion: test accuracy 0.7500, version 1 has 0.7500");
  EXPECT_EQ(same.previous_accuracy, 0.75);
  EXPECT_FALSE(judge_at(0.74).champion);
  EXPECT_THAT(judge_at(0.74).reason, StartsWith("challenger: test accuracy 0.7400"));
}

TEST_F(Judge, LetsAsMuchBeLostAsTheMarginSays) {
  register_champion(0.75);
  EXPECT_TRUE(judge_at(0.74, 0.02).champion);
  EXPECT_THAT(judge_at(0.74, 0.02).reason, HasSubstr("0.02 may be lost"));
  EXPECT_FALSE(judge_at(0.72, 0.02).champion);
}

}  // namespace
}  // namespace imago::pipeline
