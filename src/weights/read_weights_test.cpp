// SPDX-License-Identifier: Apache-2.0
// The files in fixtures/ are PyTorch's own, by fixtures/make.py, which says what numbers are in them.
#include "weights/read_weights.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "model/safetensors.hpp"
#include "weights/test_files.hpp"
#include "weights/torch_file.hpp"

namespace imago::weights {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<float> eighths(int from, int count) {
  std::vector<float> numbers;
  for (int i = from; i < from + count; ++i) numbers.push_back(static_cast<float>(i) / 8);
  return numbers;
}

model::Weights network() {
  return {{"0.weight", {{2, 3, 3, 3}, eighths(0, 54)}},
          {"1.weight", {{2}, eighths(54, 2)}},
          {"1.bias", {{2}, eighths(56, 2)}},
          {"1.running_mean", {{2}, eighths(58, 2)}},
          {"1.running_var", {{2}, eighths(60, 2)}}};
}

model::Weights read(const std::string& name) {
  auto weights = read_weights(fixture(name));
  EXPECT_TRUE(weights) << weights.error().message;
  return weights ? *weights : model::Weights();
}

Error refusal(const std::string& name) {
  const auto weights = read_weights(fixture(name));
  return weights ? Error{ErrorCode::Internal, "accepted"} : weights.error();
}

TEST(ReadWeights, ReadsAStateDictThatPyTorchSaved) {
  for (const char* name : {"network.pth", "protocol4.pth", "aligned8.pth", "old_format.pth"})
    EXPECT_EQ(read(name), network()) << name;
}

TEST(ReadWeights, ReadsACheckpointOfDataParallel) { EXPECT_EQ(read("data_parallel.pth"), network()); }

TEST(ReadWeights, ReadsEveryTypeOfFloatAndLeavesIntegersOut) {
  const auto weights = read("types.pth");
  EXPECT_EQ(weights.size(), 6U);
  EXPECT_THAT(weights.at("half").data, ElementsAre(1.5F, -2.0F, 0x1p-24F, INFINITY));
  EXPECT_THAT(weights.at("brain").data, ElementsAre(1.5F, -2.0F));
  EXPECT_THAT(weights.at("double").data, ElementsAre(0.1F));
  EXPECT_EQ(weights.at("scalar"), (model::Tensor{{}, {7}}));
  EXPECT_EQ(weights.at("parameter"), (model::Tensor{{2}, {1, 1}}));
  EXPECT_EQ(weights.at("empty"), (model::Tensor{{0, 3}, {}}));
}

TEST(ReadWeights, CopiesViewsOfSharedStorages) {
  const auto weights = read("views.pth");
  const auto& transposed = weights.at("transposed");  // [k, i, j] is 12 i + 4 j + k
  ASSERT_EQ(transposed.shape, (std::vector<std::int64_t>{4, 2, 3}));
  for (std::size_t i = 0; i < 24; ++i)
    EXPECT_EQ(transposed.data[i], static_cast<float>(12 * (i / 3 % 2) + 4 * (i % 3) + i / 6)) << i;
  EXPECT_THAT(weights.at("offset").data, ElementsAre(20, 21, 22, 23));
  EXPECT_THAT(weights.at("step").data, ElementsAre(1, 7, 13, 19));
  EXPECT_EQ(weights.at("last"), (model::Tensor{{}, {23}}));
  const auto& channels_last = weights.at("channels_last");
  ASSERT_EQ(channels_last.shape, (std::vector<std::int64_t>{1, 2, 3, 4}));
  for (std::size_t i = 0; i < 24; ++i) EXPECT_EQ(channels_last.data[i], static_cast<float>(i));
  EXPECT_THAT(weights.at("expanded").data, ElementsAre(2));
}

TEST(ReadWeights, ReadsSafetensorsToo) {
  auto folder = TemporaryDirectory::create(fs::temp_directory_path(), "weights");
  ASSERT_TRUE(folder);
  const auto path = folder->path() / "a.pth";  // by what is in it, not by its name
  ASSERT_TRUE(write_file(path, model::encode_safetensors(network())));
  const auto weights = read_weights(path);
  ASSERT_TRUE(weights) << weights.error().message;
  EXPECT_EQ(*weights, network());
}

TEST(ReadWeights, SaysWhatToDoWithPrograms) {
  const auto script = refusal("torchscript.pt");
  EXPECT_EQ(script.code, ErrorCode::Unsupported);
  EXPECT_THAT(script.message, HasSubstr("torch.save(torch.jit.load(FILE).state_dict(), NEW_FILE)"));
  const auto module = refusal("whole_module.pth");
  EXPECT_EQ(module.code, ErrorCode::Unsupported);
  EXPECT_THAT(module.message, HasSubstr("torch.save(model.state_dict(), FILE)"));
}

TEST(ReadWeights, RefusesAFileThatWasCutShort) {
  for (const char* name : {"network.pth", "old_format.pth"}) {
    const auto whole = read_file(fixture(name));
    ASSERT_TRUE(whole) << whole.error().message;
    ASSERT_TRUE(decode_torch_file(*whole));
    for (std::size_t size = 4; size < whole->size(); size += 13) {
      const auto cut = decode_torch_file(whole->substr(0, size));
      ASSERT_FALSE(cut) << name << ' ' << size;
      EXPECT_FALSE(cut.error().message.empty());
    }
  }
}

TEST(ReadWeights, RefusesAnOldFileWhoseStoragesAreLongerThanIt) {
  auto bytes = read_file(fixture("old_format.pth"));
  ASSERT_TRUE(bytes) << bytes.error().message;
  const std::string zeros_of_54("\x36\0\0\0\0\0\0\0\0\0\0\0", 12);  // the convolution's count and first number
  const auto at = bytes->find(zeros_of_54);
  ASSERT_NE(at, std::string::npos);
  auto longer = *bytes;
  longer[at + 7] = '\x40';
  EXPECT_THAT(decode_torch_file(longer).error().message, HasSubstr("bytes are left"));
  auto shorter = *bytes;
  shorter[at] = '\x35';
  EXPECT_EQ(decode_torch_file(shorter).error().code, ErrorCode::Corrupt);
}

TEST(ReadWeights, SurvivesAnyChangedByteOfAnOldFile) {
  const auto whole = read_file(fixture("old_format.pth"));
  ASSERT_TRUE(whole) << whole.error().message;
  for (std::size_t at = 0; at < whole->size(); ++at) {
    for (const char change : {'\x01', '\x80', '\xff'}) {
      auto changed = *whole;
      changed[at] ^= change;
      const auto weights = decode_torch_file(changed);
      EXPECT_TRUE(weights ? !weights->empty() : !weights.error().message.empty()) << at;
    }
  }
}

TEST(ReadWeights, RefusesDamagedNumbers) {  // every entry has its checksum
  auto bytes = read_file(fixture("network.pth"));
  ASSERT_TRUE(bytes) << bytes.error().message;
  const std::string half("\x00\x00\x80\x3f", 4);  // 1.0, in the convolution
  const auto at = bytes->find(half);
  ASSERT_NE(at, std::string::npos);
  (*bytes)[at + 2] ^= 1;
  const auto damaged = decode_torch_file(*bytes);
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code, ErrorCode::Corrupt);
}

}  // namespace
}  // namespace imago::weights
