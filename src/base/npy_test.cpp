// SPDX-License-Identifier: Apache-2.0
#include "base/npy.hpp"

#include <gmock/gmock.h>

#include "base/files.hpp"

namespace imago {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A .npy file as numpy 2.4.6 writes it: magic, version, length, header padded to 64, data.
std::string file(const std::string& header, const std::string& data, char major = 1) {
  std::string text("\x93NUMPY", 6);
  text += major;
  text += '\0';
  std::string padded = header;
  padded.resize(117, ' ');
  padded += '\n';
  text += static_cast<char>(padded.size());
  text += std::string(major == 1 ? 1 : 3, '\0');
  return text + padded + data;
}

TEST(Npy, ReadsPixelsAndLabelsAsNumpySavesThem) {
  // numpy.zeros((2, 1, 1, 3), dtype="uint8"), numpy.array(["cat", "dog"]), numpy.array([3, 5])
  const auto pixels = file("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 1, 1, 3), }", "\1\2\3\4\5\6");
  const auto array = read_npy(as_bytes(pixels)).value();
  EXPECT_EQ(array.type, "|u1");
  EXPECT_THAT(array.shape, ElementsAre(2, 1, 1, 3));
  EXPECT_EQ(as_text(array.data), "\1\2\3\4\5\6");
  EXPECT_EQ(array.count(), 6U);
  const auto names = file("{'descr': '<U3', 'fortran_order': False, 'shape': (2,), }", std::string(24, 'x'));
  EXPECT_EQ(read_npy(as_bytes(names)).value().element_bytes(), 12U);
  const auto numbers = file("{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }", std::string(16, '\0'), 3);
  EXPECT_EQ(read_npy(as_bytes(numbers)).value().count(), 2U);
  const auto columns = file("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 1), }", std::string(8, '\0'));
  EXPECT_TRUE(read_npy(as_bytes(columns)).value().fortran_order);
}

TEST(Npy, WritesAHeaderThatItReadsBack) {
  for (const std::vector<std::int64_t>& shape :
       {std::vector<std::int64_t>{}, {6}, {6, 0}, {2, 3}, {1, 1, 2, 1, 1, 1, 1, 1}}) {
    std::size_t count = 1;
    for (const auto side : shape) count *= static_cast<std::size_t>(side);
    const auto bytes = npy_header("<f8", shape) + std::string(count * 8, 'x');
    EXPECT_EQ((bytes.size() - count * 8) % 64, 0U);
    EXPECT_EQ(read_npy(as_bytes(bytes)).value().shape, shape);
  }
}

TEST(Npy, RefusesASizeThatTheShapeDoesNotHave) {
  const std::string head = "{'descr': '|u1', 'fortran_order': False, 'shape': ";
  for (const std::string shape : {"(5,), }", "(7,), }", "(2, 2), }", "(4294967296, 4294967296, 4294967296), }"}) {
    const auto bytes = file(head + shape, "123456");
    EXPECT_EQ(read_npy(as_bytes(bytes)).error().code, ErrorCode::Corrupt) << shape;
  }
  const auto empty_text = file("{'descr': '<U0', 'fortran_order': False, 'shape': (99999999999), }", "");
  EXPECT_FALSE(read_npy(as_bytes(empty_text)));
  const auto many_nothings = file("{'descr': '<U0', 'fortran_order': False, 'shape': (99999999999,), }", "");
  EXPECT_FALSE(read_npy(as_bytes(many_nothings))) << "no bytes, but work for each";
}

TEST(Npy, SaysWhichElementsItDoesNotRead) {
  const auto message = [](const std::string& type) {
    const auto bytes = file("{'descr': " + type + ", 'fortran_order': False, 'shape': (1,), }", "12345678");
    const auto array = read_npy(as_bytes(bytes));
    EXPECT_EQ(array.error().code, ErrorCode::Unsupported) << type;
    return array.error().message;
  };
  EXPECT_THAT(message("'|O'"), HasSubstr("Python objects"));
  EXPECT_THAT(message("[('x', '<f4')]"), HasSubstr("records"));
  EXPECT_THAT(message("'>f8'"), HasSubstr("'>f8'"));
  EXPECT_THAT(message("'<c8'"), HasSubstr("'<c8'"));
  EXPECT_THAT(message("'<f16'"), HasSubstr("'<f16'"));
}

TEST(Npy, RefusesEveryTruncation) {
  for (const char version : {'\1', '\2'}) {
    const auto whole = file("{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }", "12345678", version);
    for (std::size_t length = 0; length < whole.size(); ++length)
      EXPECT_EQ(read_npy(as_bytes(whole.substr(0, length))).error().code, ErrorCode::Corrupt) << length;
  }
}

}  // namespace
}  // namespace imago
