// SPDX-License-Identifier: Apache-2.0
#include "model/safetensors.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <cstring>
#include <limits>

#include "base/files.hpp"
#include "base/source_dir.hpp"

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

/// The halves that are stored of `values`, of a matrix of one row.
std::vector<std::uint16_t> halves(const std::vector<float>& values) {
  const auto size = static_cast<std::int64_t>(values.size());
  const std::string bytes = encode_safetensors({{"w", {{1, size}, values}}}, {}, Storage::Float16);
  EXPECT_THAT(bytes, HasSubstr("\"F16\""));
  std::vector<std::uint16_t> stored(values.size());
  std::memcpy(stored.data(), bytes.data() + bytes.size() - 2 * values.size(), 2 * values.size());
  return stored;
}

TEST(Safetensors, RoundsToHalvesAsNumpyDoes) {  // numpy 2.4.6, astype(float16)
  EXPECT_THAT(halves({1, -2, 0.1F, 1.0F / 3, 65504, 2049, 2051, -2049, 0x1p-14F, 1.00048828125F, 1.000488400459289F,
                      1.00146484375F, 1e-3F}),
              ElementsAre(0x3c00, 0xc000, 0x2e66, 0x3555, 0x7bff, 0x6800, 0x6802, 0xe800, 0x0400, 0x3c00, 0x3c01,
                          0x3c02, 0x1419));
  EXPECT_THAT(halves({1, 5.9604645e-08F, 2.9802322e-08F, 2.9802326e-08F, 8.940697e-08F, 6.1005e-05F, 6.1033e-05F,
                      6.103515e-05F, -1e-05F, 1e-10F, -0.0F}),
              ElementsAre(0x3c00, 0x1, 0x0, 0x1, 0x2, 0x3ff, 0x400, 0x400, 0x80a8, 0x0, 0x8000))
      << "subnormals";
}

TEST(Safetensors, EveryHalfIsStoredAsItself) {
  Weights weights{{"w", {{1, 0}, {}}}};
  auto& values = weights["w"].data;
  for (std::uint32_t half = 0; half < 0x10000; ++half) {
    if ((half & 0x7C00U) == 0x7C00U) continue;  // infinite, or not a number
    std::string bytes = file(R"({"w":{"dtype":"F16","shape":[1,1],"data_offsets":[0,2]}})", "  ");
    std::memcpy(bytes.data() + bytes.size() - 2, &half, 2);
    values.push_back(decode_safetensors(as_bytes(bytes)).value().at("w").data.front());
  }
  weights["w"].shape[1] = static_cast<std::int64_t>(values.size());
  const std::string bytes = encode_safetensors(weights, {}, Storage::Float16);
  EXPECT_LT(bytes.size(), 2 * values.size() + 200);
  EXPECT_EQ(decode_safetensors(as_bytes(bytes)).value(), weights);
}

TEST(Safetensors, WhatLosesMoreThanRoundingIsStoredWhole) {
  const float infinite = std::numeric_limits<float>::infinity();
  const Weights weights{{"bn.bias", {{3}, {0.5F, 0, -1}}},
                        {"bn.running_var", {{2}, {1, 70000}}},
                        {"bn.weight", {{2}, {1, 1e-6F}}},
                        {"broken", {{1, 1}, {infinite}}},
                        {"conv.weight", {{2, 2}, {0.02F, 1e-6F, -0.03F, 0}}},
                        {"dead.weight", {{1, 2}, {1e-6F, -2e-6F}}}};
  const std::string bytes = encode_safetensors(weights, {}, Storage::Float16);
  const auto stored = [&](const std::string& name) {
    return bytes.substr(bytes.find("\"" + name + "\""), name.size() + 18);
  };
  for (const auto* name : {"bn.bias", "conv.weight"}) EXPECT_THAT(stored(name), HasSubstr("F16")) << name;
  for (const auto* name : {"bn.running_var", "bn.weight", "broken", "dead.weight"})
    EXPECT_THAT(stored(name), HasSubstr("F32")) << name;
  const auto back = decode_safetensors(as_bytes(bytes)).value();
  EXPECT_EQ(back.at("bn.running_var"), weights.at("bn.running_var"));
  EXPECT_EQ(encode_safetensors(back, {}, Storage::Float16), bytes) << "rounded once, it stays as it is";
}

TEST(Safetensors, WritesTheReferenceLibrarysBytesOfHalvesToo) {  // safetensors 0.8.0, of float16 and float32 arrays
  const std::string header =
      R"({"b.bias":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"z.mean":{"dtype":"F32","shape":[1],)"
      R"("data_offsets":[8,12]},"a.weight":{"dtype":"F16","shape":[1,2],"data_offsets":[12,16]},)"
      R"("c.weight":{"dtype":"F16","shape":[1,1],"data_offsets":[16,18]}}  )";
  const std::string data("\x00\x00\x80\x3f\xac\xc5\x27\x37\x00\xb8\x88\x47\x55\x35\x00\xc0\x66\x2e", 18);
  EXPECT_EQ(encode_safetensors({{"a.weight", {{1, 2}, {1.0F / 3, -2}}},
                                {"b.bias", {{2}, {1, 1e-5F}}},
                                {"c.weight", {{1, 1}, {0.1F}}},
                                {"z.mean", {{1}, {7e4F}}}},
                               {}, Storage::Float16),
            file(header, data));
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
  const std::filesystem::path folder = data != nullptr ? std::string(data) : source_dir() + "/../shared/data";
  const auto path = folder / "mobilenet_v2-features.safetensors";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path << "; set IMAGO_DATA";
  const auto weights = read_safetensors(path);
  ASSERT_TRUE(weights) << weights.error().message;
  EXPECT_THAT(weights->at("features.0.0.weight").shape, ElementsAre(32, 3, 3, 3));
  EXPECT_GT(weights->size(), 250U);
}

}  // namespace
}  // namespace imago::model
