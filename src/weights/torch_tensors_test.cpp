// SPDX-License-Identifier: Apache-2.0
#include "weights/torch_tensors.hpp"

#include <gmock/gmock.h>

#include <limits>

#include "weights/test_files.hpp"

namespace imago::weights {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using namespace std::string_literals;

constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();

std::string four_floats() {  // 1, 2, 3, 4
  return "\x00\x00\x80\x3f\x00\x00\x00\x40\x00\x00\x40\x40\x00\x00\x80\x40"s;
}

TorchParts parts_of(const HandMadeTensor& tensor) {
  return parts_with(pickled_text("a") + tensor.pickled(), four_floats());
}

Error refusal(const TorchParts& parts) {
  const auto weights = weights_of(parts);
  return weights ? Error{ErrorCode::Internal, "accepted"} : weights.error();
}

TEST(TorchTensors, AViewIsCopiedRowMajor) {
  const auto weights = weights_of(parts_of({.shape = {2, 2}, .strides = {1, 2}}));
  ASSERT_TRUE(weights) << weights.error().message;
  EXPECT_EQ(weights->at("a"), (model::Tensor{{2, 2}, {1, 3, 2, 4}}));
}

TEST(TorchTensors, AStrideOfASingleRowMeansNothing) {
  const auto weights = weights_of(parts_of({.shape = {1, 3}, .strides = {kHuge, 1}, .offset = 1}));
  ASSERT_TRUE(weights) << weights.error().message;
  EXPECT_EQ(weights->at("a"), (model::Tensor{{1, 3}, {2, 3, 4}}));
}

TEST(TorchTensors, BigEndianNumbersAreTurned) {
  auto parts = parts_with(pickled_text("a") + HandMadeTensor{.shape = {1}, .strides = {1}, .numbers = 1}.pickled(),
                          "\x3f\xc0\x00\x00"s);
  parts.big_endian = true;
  const auto weights = weights_of(parts);
  ASSERT_TRUE(weights) << weights.error().message;
  EXPECT_THAT(weights->at("a").data, ElementsAre(1.5F));
}

TEST(TorchTensors, RefusesWhatDoesNotLieInItsStorage) {
  const std::vector<HandMadeTensor> views{{.shape = {5}, .strides = {1}},
                                          {.shape = {4}, .strides = {1}, .offset = 1},
                                          {.shape = {2, 2}, .strides = {3, 1}},
                                          {.shape = {}, .strides = {}, .offset = 4},
                                          {.shape = {2}, .strides = {kHuge}},
                                          {.shape = {2, 2}, .strides = {kHuge, kHuge}},
                                          {.shape = {kHuge, kHuge}, .strides = {0, 0}},
                                          {.shape = {5}, .strides = {0}},
                                          {.shape = {1}, .strides = {1}, .offset = kHuge}};
  for (const auto& view : views) {
    const auto error = refusal(parts_of(view));
    EXPECT_EQ(error.code, ErrorCode::Corrupt);
    EXPECT_THAT(error.message, HasSubstr("tensor 'a': shape ["));
    EXPECT_THAT(error.message, HasSubstr("does not lie in its storage of 4 numbers"));
  }
}

TEST(TorchTensors, RefusesNegativeAndMismatchedNumbers) {
  EXPECT_THAT(refusal(parts_of({.shape = {2}, .strides = {-1}, .offset = 3})).message, HasSubstr("stride of -1"));
  EXPECT_THAT(refusal(parts_of({.shape = {-2}, .strides = {1}})).message, HasSubstr("stride of -2"));
  EXPECT_THAT(refusal(parts_of({.shape = {2}, .strides = {1, 1}})).message, HasSubstr("unknown form"));
  EXPECT_THAT(refusal(parts_of({.shape = {1}, .strides = {1}, .offset = -1})).message, HasSubstr("unknown form"));
  const std::vector<std::int64_t> nine(9, 1);
  EXPECT_THAT(refusal(parts_of({.shape = nine, .strides = nine})).message, HasSubstr("9 dimensions"));
  EXPECT_THAT(refusal(parts_of({.shape = {4}, .strides = {1}, .numbers = 5})).message,
              HasSubstr("storage '0' has 16 bytes, not 5 numbers of 4"));
  EXPECT_THAT(refusal(parts_of({.shape = {4}, .strides = {1}, .numbers = -4})).message, HasSubstr("not -4 numbers"));
  auto lost = parts_of({.shape = {4}, .strides = {1}});
  lost.bytes.clear();
  EXPECT_THAT(refusal(lost).message, HasSubstr("there is no storage '0'"));
}

TEST(TorchTensors, RefusesManyTensorsOfOneStorage) {
  std::string members;
  const HandMadeTensor all{.shape = {4}, .strides = {1}};
  for (char name = 'a'; name < 'a' + 8; ++name) members += pickled_text({name}) + all.pickled();
  const auto shared = weights_of(parts_with(members, four_floats()));
  ASSERT_TRUE(shared) << shared.error().message;
  EXPECT_THAT(*shared, SizeIs(8));
  const auto error = refusal(parts_with(members + pickled_text("z") + all.pickled(), four_floats()));
  EXPECT_EQ(error.code, ErrorCode::Unsupported);
  EXPECT_THAT(error.message, HasSubstr("tensor 'z': tensors that share storages"));
}

TEST(TorchTensors, OnlyAPrefixThatAllNamesHaveGoes) {
  const std::string tensor = HandMadeTensor{.shape = {4}, .strides = {1}}.pickled();
  const auto all = weights_of(parts_with(
      pickled_text("module._orig_mod.a") + tensor + pickled_text("module._orig_mod.b") + tensor, four_floats()));
  ASSERT_TRUE(all) << all.error().message;
  EXPECT_TRUE(all->contains("a") && all->contains("b"));
  const auto some =
      weights_of(parts_with(pickled_text("module.a") + tensor + pickled_text("b") + tensor, four_floats()));
  ASSERT_TRUE(some) << some.error().message;
  EXPECT_TRUE(some->contains("module.a") && some->contains("b"));
}

TEST(TorchTensors, FindsTheDictInACheckpoint) {
  const std::string dict = "}" + pickled_text("a") + HandMadeTensor{.shape = {4}, .strides = {1}}.pickled() + "s";
  for (const char* key : {"state_dict", "model_state_dict", "model"}) {
    const auto weights =
        weights_of(parts_with(pickled_text("epoch") + pickled_number(3) + pickled_text(key) + dict, four_floats()));
    ASSERT_TRUE(weights) << weights.error().message;
    EXPECT_THAT(weights->at("a").data, ElementsAre(1, 2, 3, 4));
  }
  EXPECT_THAT(refusal(parts_with(pickled_text("net") + dict, four_floats())).message,
              HasSubstr("no tensors of floats in it, or in its member 'state_dict' or 'model'; it has 1 members: net"));
}

TEST(TorchTensors, RefusesEveryOtherPythonNameByName) {
  const auto system = refusal(parts_with("cposix\nsystem\n" + pickled_text("true") + "\x85R", ""));
  EXPECT_EQ(system.code, ErrorCode::Unsupported);
  EXPECT_THAT(system.message, HasSubstr("'posix.system'"));
  EXPECT_THAT(system.message, HasSubstr("torch.save(model.state_dict(), FILE)"));
  for (const char* name : {"torch._utils\n_rebuild_wrapper_subclass", "torch\nload", "numpy\nndarray", "builtins\neval",
                           "torch.storage\n_load_from_bytes"})
    EXPECT_THAT(refusal(parts_with("c"s + name + "\n", "")).message, HasSubstr("asks for Python's")) << name;
}

TEST(TorchTensors, SurvivesAnyChangedByte) {
  const auto whole = parts_of({.shape = {2, 2}, .strides = {2, 1}});
  for (std::size_t i = 0; i < whole.pickle.size(); ++i) {
    for (int value = 0; value < 256; ++value) {
      auto damaged = whole;
      damaged.pickle[i] = static_cast<char>(value);
      const auto weights = weights_of(damaged);
      ASSERT_TRUE(!weights || !weights->empty()) << i;
    }
    auto cut = whole;
    cut.pickle.resize(i);
    ASSERT_FALSE(weights_of(cut)) << i;
  }
}

}  // namespace
}  // namespace imago::weights
