// SPDX-License-Identifier: Apache-2.0
#include "infer/engine.hpp"

#include <gmock/gmock.h>

#include <ctime>
#include <iterator>
#include <thread>

#include "infer/tiny_package.hpp"

namespace imago::infer {
namespace {

using testing::HasSubstr;

void expect_tiny(const model::Logits& logits, int first) {
  ASSERT_EQ(logits.classes, 3);
  for (int i = 0; i < logits.n; ++i)
    for (std::size_t c = 0; c < 3; ++c)
      EXPECT_NEAR(logits.row(i)[c], kTinyLogits[static_cast<std::size_t>(first + i)][c], 1e-5F) << i << " " << c;
}

TEST(Engine, GivesOnnxRuntimesLogitsInBatchesOfAnySize) {
  TinyPackage tiny("tiny", 3);
  const auto engine = tiny.load();
  for (const auto& [first, n] : {std::pair{0, 5}, {0, 1}, {3, 2}, {4, 1}, {1, 4}}) {
    const auto logits = engine->classify(waves(first, n));
    ASSERT_TRUE(logits.has_value()) << logits.error().message;
    ASSERT_EQ(logits->n, n);
    expect_tiny(*logits, first);
  }
  EXPECT_EQ(engine->classify(waves(0, 0)).value().n, 0);
}

TEST(Engine, AveragesOverThePackagesViewsUnlessAskedOtherwise) {
  TinyPackage tiny("tiny", 3);
  const auto plain = tiny.load();
  const auto expected = model::ManyViews(*plain, model::Views::Multi).classify(waves(0, 3)).value();
  (*tiny).spec.views = model::Views::Multi;
  EXPECT_EQ(tiny.load()->classify(waves(0, 3)).value().data, expected.data);
  EXPECT_EQ(tiny.load()->clone()->classify(waves(0, 3)).value().data, expected.data);
  EXPECT_EQ(tiny.load()->classify(waves(0, 0)).value().n, 0);
  const auto once = tiny.load({.views = model::Views::None})->classify(waves(0, 3)).value();
  EXPECT_EQ(once.data, plain->classify(waves(0, 3)).value().data);
  EXPECT_NE(once.data, expected.data);
}

TEST(Engine, WidensOneLogitToTwoClasses) {
  TinyPackage tiny("tiny_one_logit", 2);
  const auto engine = tiny.load();
  const auto logits = engine->classify(waves(0, 5)).value();
  ASSERT_EQ(logits.classes, 2);
  ASSERT_EQ(logits.data.size(), 10U);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(logits.row(i)[0], 0.0F);
    EXPECT_NEAR(logits.row(i)[1], kTinyLogits[static_cast<std::size_t>(i)][0], 1e-5F);
  }
}

class EngineOfStreams : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(FewAndMany, EngineOfStreams, testing::Values(2, 9));

TEST_P(EngineOfStreams, ClonesComputeAtTheSameTimeAndOutliveTheirOriginal) {
  TinyPackage tiny("tiny", 3);
  auto engine = tiny.load({.threads = 1, .streams = GetParam()});
  EXPECT_EQ(engine->streams(), GetParam());
  std::vector<std::unique_ptr<Engine>> clones;
  for (int i = 0; i < 4; ++i) clones.push_back(engine->clone());
  engine.reset();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      for (int round = 0; round < 50; ++round)
        expect_tiny(clones[static_cast<std::size_t>(i)]->classify(waves(i, 1)).value(), i);
    });
  for (auto& thread : threads) thread.join();
}

/// An inference that goes to a thread of OpenVINO's and back costs two switches of context.
TEST(Engine, OfOneCoreAnInferenceComputesOnTheThreadThatAsks) {
  const auto threads = [] {
    return std::distance(fs::directory_iterator("/proc/self/task"), fs::directory_iterator());
  };
  TinyPackage tiny("tiny", 3);
  const auto before = threads();
  const auto engine = tiny.load({.threads = 1, .streams = 2});
  expect_tiny(engine->clone()->classify(waves(0, 1)).value(), 0);
  EXPECT_EQ(threads(), before);
}

/// On the thread that asks, OpenVINO computes with that one alone, whatever number it is given.
TEST(Engine, OfTwoCoresAnInferenceHasOtherThreadsHelp) {
  const auto seconds = [](clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  };
  TinyPackage tiny("tiny", 3);
  const auto engine = tiny.load({.threads = 2});
  const auto images = waves(0, 2000);  // enough to be worth sharing out
  const double here = seconds(CLOCK_THREAD_CPUTIME_ID);
  const double anywhere = seconds(CLOCK_PROCESS_CPUTIME_ID);
  double helped = 0.0;
  for (int round = 0; helped < 0.1 && round < 2000; ++round) {  // on a busy machine the others come late
    EXPECT_EQ(engine->classify(images).value().n, images.n);
    helped = (seconds(CLOCK_PROCESS_CPUTIME_ID) - anywhere) - (seconds(CLOCK_THREAD_CPUTIME_ID) - here);
  }
  EXPECT_GE(helped, 0.1) << "seconds of other threads";
}

TEST(Engine, RefusesBatchesOfAnotherShape) {
  TinyPackage tiny("tiny", 3);
  const auto engine = tiny.load();
  auto batch = waves(0, 1);
  batch.data.pop_back();
  EXPECT_EQ(engine->classify(batch).error().code, ErrorCode::InvalidArgument);
  image::ImageBatch wide{.n = 1, .channels = 3, .height = 4, .width = 16, .data = std::vector<float>(192)};
  EXPECT_THAT(engine->classify(wide).error().message, HasSubstr("[n, 3, 8, 8]"));
}

TEST(Engine, RefusesNetworksThatDoNotFitTheSpec) {
  TinyPackage four("tiny", 4);
  EXPECT_EQ(Engine::load(*four).error().code, ErrorCode::Corrupt);
  EXPECT_THAT(Engine::load(*four).error().message, HasSubstr("4 classes"));
  TinyPackage large("tiny", 3);
  (*large).spec.graph.input = {3, 16, 16};
  EXPECT_EQ(Engine::load(*large).error().code, ErrorCode::Corrupt);
  TinyPackage one("tiny_one_logit", 3);
  EXPECT_EQ(Engine::load(*one).error().code, ErrorCode::Corrupt) << "one logit is for two classes only";
}

TEST(Engine, RefusesFilesThatAreNoNetworkInOneLine) {
  TinyPackage tiny("tiny", 3);
  const std::string whole = read_file((*tiny).onnx_path()).value();
  for (const std::string& bytes : {std::string(), std::string("not onnx"), whole.substr(0, whole.size() / 2)}) {
    tiny.write(bytes);
    const auto engine = Engine::load(*tiny);
    ASSERT_FALSE(engine.has_value());
    EXPECT_EQ(engine.error().code, ErrorCode::Corrupt);
    EXPECT_THAT(engine.error().message, testing::Not(HasSubstr("\n")));
  }
  fs::remove((*tiny).onnx_path());
  EXPECT_EQ(Engine::load(*tiny).error().code, ErrorCode::NotFound);
}

TEST(BackendDescription, NamesTheVersion) {
  EXPECT_THAT(backend_description(), testing::MatchesRegex("OpenVINO [0-9.]+, CPU"));
}

}  // namespace
}  // namespace imago::infer
