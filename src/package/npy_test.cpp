// SPDX-License-Identifier: Apache-2.0
#include "package/npy.hpp"

#include <gmock/gmock.h>

#include "base/files.hpp"

namespace imago::package {
namespace {

/// What numpy 2.4.6 writes: numpy.save(file, numpy.arange(6, dtype="float32").reshape(2, 3) / 4).
std::string numpy_bytes() {
  std::string text("\x93NUMPY\x01\x00v\x00", 10);
  text += "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  text.resize(127, ' ');
  text += '\n';
  text += std::string("\x00\x00\x00\x00\x00\x00\x80>\x00\x00\x00?\x00\x00@?\x00\x00\x80?\x00\x00\xa0?", 24);
  return text;
}

std::string with_header(const std::string& header, const std::string& data) {
  std::string text("\x93NUMPY\x01\x00", 8);
  text += static_cast<char>(header.size() & 0xFFU);
  text += static_cast<char>(header.size() >> 8U);
  return text + header + data;
}

const model::Tensor kExample{{2, 3}, {0, 0.25F, 0.5F, 0.75F, 1, 1.25F}};

TEST(Npy, WritesTheVeryBytesThatNumpyWrites) { EXPECT_EQ(encode_npy(kExample), numpy_bytes()); }

TEST(Npy, ReadsWhatNumpyWrote) { EXPECT_EQ(decode_npy(as_bytes(numpy_bytes())).value(), kExample); }

TEST(Npy, KeepsShapesOfAnyDepthAndPutsDataOn64Bytes) {
  for (const std::vector<std::int64_t>& shape :
       {std::vector<std::int64_t>{}, {3}, {0}, {2, 0, 5}, {8, 3, 4, 5}, {1, 1, 1, 1, 1, 1, 1, 2}}) {
    std::size_t count = 1;
    for (const auto side : shape) count *= static_cast<std::size_t>(side);
    const model::Tensor tensor{shape, std::vector<float>(count, 1.5F)};
    const auto bytes = encode_npy(tensor);
    EXPECT_EQ((bytes.size() - count * sizeof(float)) % 64, 0U);
    EXPECT_EQ(decode_npy(as_bytes(bytes)).value(), tensor);
  }
}

TEST(Npy, RefusesEveryTruncationAndAnyByteMore) {
  const auto whole = numpy_bytes();
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_EQ(decode_npy(as_bytes(whole.substr(0, length))).error().code, ErrorCode::Corrupt) << length;
  EXPECT_FALSE(decode_npy(as_bytes(whole + '\0')));
}

TEST(Npy, RefusesHeadersThatLieOrAreOfAnotherKind) {
  const std::string data(24, '\0');
  for (const std::string header : {"{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }",
                                   "{'descr': '>f4', 'fortran_order': False, 'shape': (6,), }",
                                   "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }",
                                   "{'descr': '<f4', 'fortran_order': False, 'shape': (7,), }",
                                   "{'descr': '<f4', 'fortran_order': False, 'shape': (-1, -6), }",
                                   "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296, 6), }",
                                   "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }",
                                   "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1, 1, 1, 1, 6), }",
                                   "{'descr': '<f4', 'fortran_order': False, 'shape': (6), }",
                                   "{'descr': '<f4', 'fortran_order': False, 'shape': (2,,3), }",
                                   "{'descr': '<f4', 'fortran_order': False, 'shape': (2 3",
                                   "{'descr': '<f4', 'fortran_order': False, 'shape': (6,), 'x': 1}",
                                   "{'descr': '|O', 'fortran_order': False, 'shape': (6,), }", "", "{}"})
    EXPECT_EQ(decode_npy(as_bytes(with_header(header, data))).error().code, ErrorCode::Corrupt) << header;
  EXPECT_FALSE(decode_npy(as_bytes(with_header(std::string(60000, ' '), data))));
  EXPECT_TRUE(decode_npy(as_bytes(with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n", data))));
}

}  // namespace
}  // namespace imago::package
