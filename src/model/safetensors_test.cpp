// SPDX-License-Identifier: Apache-2.0
#include "model/safetensors.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <limits>

#include "base/files.hpp"

namespace imago::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

std::string file(std::string_view header, std::string_view data) {
  const std::uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + std::string(header) + std::string(data);
}

Error refusal(const std::string& bytes) {
  const auto weights = decode_safetensors(as_bytes(bytes));
  return weights ? Error{ErrorCode::Internal, "accepted"} : weights.error();
}

Weights some_weights() {
  return {{"fc.weight", {{2, 3}, {1, 2, 3, 4, 5, 6}}}, {"fc.bias", {{2}, {-1, 0.5F}}}, {"scalar", {{}, {7}}}};
}

TEST(Safetensors, WeightsAndMetadataComeBack) {
  const std::string bytes = encode_safetensors(some_weights(), {{"format", "pt"}});
  Metadata metadata;
  const auto back = decode_safetensors(as_bytes(bytes), &metadata);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(*back, some_weights());
  EXPECT_EQ(metadata.at("format"), "pt");
  EXPECT_EQ(bytes, encode_safetensors(some_weights(), {{"format", "pt"}}));
}

TEST(Safetensors, WritesTheReferenceLibrarysBytes) {  // safetensors 0.8.0, numpy.save({"a": float32 [1, 2]})
  std::string expected = file(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", "");
  expected.resize(8 + 56, ' ');
  expected[0] = 56;
  expected += std::string("\x00\x00\x80\x3f\x00\x00\x00\x40", 8);
  EXPECT_EQ(encode_safetensors({{"a", {{2}, {1, 2}}}}), expected);
}

TEST(Safetensors, ReadsHalvesBrainFloatsAndDoublesAndLeavesIntegersOut) {
  // Bytes by numpy 2.4: float16 [1.5, -2, 6e-8, inf], bfloat16 [1.5, -2], float64 [0.1], int64 [1].
  using namespace std::string_literals;
  const std::string data =
      "\x00\x3e\x00\xc0\x01\x00\x00\x7c"s
      "\xc0\x3f\x00\xc0"s
      "\x9a\x99\x99\x99\x99\x99\xb9\x3f"s
      "\x01\x00\x00\x00\x00\x00\x00\x00"s;
  const auto weights = decode_safetensors(as_bytes(file(
      R"({"h":{"dtype":"F16","shape":[4],"data_offsets":[0,8]},"b":{"dtype":"BF16","shape":[2],"data_offsets":[8,12]},)"
      R"("d":{"dtype":"F64","shape":[1],"data_offsets":[12,20]},"n":{"dtype":"I64","shape":[],"data_offsets":[20,28]}})",
      data)));
  ASSERT_TRUE(weights) << weights.error().message;
  EXPECT_THAT(*weights, SizeIs(3));
  EXPECT_THAT(weights->at("h").data, ElementsAre(1.5F, -2.0F, 0x1p-24F, std::numeric_limits<float>::infinity()));
  EXPECT_THAT(weights->at("b").data, ElementsAre(1.5F, -2.0F));
  EXPECT_THAT(weights->at("d").data, ElementsAre(0.1F));
}

TEST(Safetensors, RefusesFilesThatContradictThemselves) {
  const std::string data(8, '\0');
  const auto with = [&](std::string_view header) { return refusal(file(header, data)).message; };
  EXPECT_THAT(refusal("1234").message, HasSubstr("only 4 bytes"));
  EXPECT_THAT(refusal(std::string(8, '\xff')).message, HasSubstr("a header of 18446744073709551615 bytes"));
  EXPECT_THAT(with("[]"), HasSubstr("not an object"));
  EXPECT_THAT(with("{"), HasSubstr("not JSON"));
  EXPECT_THAT(with(R"({"a":7})"), HasSubstr("tensor 'a'"));
  EXPECT_THAT(with(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,9]}})"), HasSubstr("do not lie in its 8"));
  EXPECT_THAT(with(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})"), HasSubstr("do not lie"));
  EXPECT_THAT(with(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}})"), HasSubstr("data_offsets"));
  EXPECT_THAT(with(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})"), HasSubstr("does not fill 8 bytes"));
  EXPECT_THAT(with(R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})"), HasSubstr("negative side"));
  EXPECT_THAT(with(R"({"a":{"dtype":"F32","shape":[4294967296,4294967298],"data_offsets":[0,8]}})"),
              HasSubstr("larger than the file"));
  EXPECT_THAT(with(R"({"a":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}})"), HasSubstr("type 'C64' is not read"));
  EXPECT_THAT(with(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})"), HasSubstr("end at 4 of 8"));
  EXPECT_THAT(with(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                   R"("b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})"),
              HasSubstr("begins at 4, not at 8"));
  EXPECT_EQ(refusal(file(R"({"a":7})", data)).code, ErrorCode::Corrupt);
}

TEST(Safetensors, EveryTruncationIsRefused) {
  const std::string whole = encode_safetensors(some_weights());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(refusal(whole.substr(0, size)).code, ErrorCode::Corrupt) << size;
  }
}

TEST(Safetensors, ReadsARealBackbone) {
  const char* data = std::getenv("IMAGO_DATA");
  const std::filesystem::path folder = data != nullptr ? data : IMAGO_SOURCE_DIR "/../shared/data";
  const auto path = folder / "mobilenet_v2-features.safetensors";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path << "; set IMAGO_DATA";
  const auto weights = read_safetensors(path);
  ASSERT_TRUE(weights) << weights.error().message;
  EXPECT_THAT(weights->at("features.0.0.weight").shape, ElementsAre(32, 3, 3, 3));
  EXPECT_GT(weights->size(), 250U);
}

}  // namespace
}  // namespace imago::model
