// SPDX-License-Identifier: Apache-2.0
// The pickles are what Python 3.11 and numpy 2.4.6 write for a CIFAR-10 batch of two records, with the pixels put in.
#include "data/pickle.hpp"

#include <gmock/gmock.h>

#include "data/cifar.hpp"

namespace imago::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::string_literals;

constexpr CifarFile kBatch{CifarFile::Holds::Images, true, 10};
constexpr CifarFile kNames{CifarFile::Holds::Names, true, 10};

std::string planes_of(const CifarBatch& batch) {
  std::string planes;
  for (std::size_t i = 0; i < batch.labels.size(); ++i) planes += batch.image(i);
  return planes;
}

std::string pixels() {
  std::string bytes;
  for (int i = 0; i < 2 * 3072; ++i) bytes += static_cast<char>(i % 251);
  return bytes;
}

std::string latin1_as_utf8(const std::string& bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto value = static_cast<unsigned char>(c);
    if (value < 0x80) {
      text += c;
    } else {
      text += static_cast<char>(0xC0 | value >> 6);
      text += static_cast<char>(0x80 | (value & 0x3F));
    }
  }
  return text;
}

std::string little_endian(std::size_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> 8 * i & 0xFF);
  return text;
}

/// Python 2's cPickle, as in the official cifar-10-python.tar.gz.
std::string python2() {
  return "\x80\x02}q\x01(U\x0b"
         "batch_labelq\x02U\x15training batch 1 of 5q\x03U\x06labelsq\x04]q\x05(K\x06K\te"
         "U\x04"
         "dataq\x06"
         "cnumpy.core.multiarray\n_reconstruct\nq\x07"
         "cnumpy\nndarray\nq\x08K\0\x85U\x01"
         "b\x87Rq\x09(K\x01K\x02M\0\x0c\x86"
         "cnumpy\ndtype\nq\nU\x02u1K\0K\x01\x87Rq\x0b(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89T\0\x18\0\0"s +
         pixels() +
         "tbU\tfilenames]q\x0c(U\x05"
         "a.pngU\x05"
         "b.pngeu."s;
}

std::string protocol2() {
  const auto text = latin1_as_utf8(pixels());
  return "\x80\x02}q\0(X\x06\0\0\0labelsq\x03]q\x04(K\x06K\teX\x04\0\0\0dataq\x05"
         "cnumpy._core.multiarray\n_reconstruct\nq\x06"
         "cnumpy\nndarray\nq\x07K\0\x85q\x08"
         "c_codecs\nencode\nq\tX\x01\0\0\0bq\nX\x06\0\0\0latin1q\x0b\x86q\x0cRq\r\x87q\x0eRq\x0f(K\x01K\x02M\0\x0c"
         "\x86q\x10"
         "cnumpy\ndtype\nq\x11X\x02\0\0\0u1q\x12\x89\x88\x87q\x13Rq\x14(K\x03X\x01\0\0\0|"
         "q\x15NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tq\x16"
         "b\x89h\tX"s +
         little_endian(text.size(), 4) + text +
         "q\x17h\x0b\x86q\x18Rq\x19tq\x1a"
         "bu."s;
}

std::string protocol4() {
  return "\x80\x04\x95\xf1\x18\0\0\0\0\0\0}\x94(\x8c\x06labels\x94]\x94(K\x06K\te\x8c\x04"
         "data\x94\x8c\x16numpy._core.multiarray\x94\x8c\x0c"
         "_reconstruct\x94\x93\x94\x8c\x05numpy\x94\x8c\x07ndarray\x94\x93\x94K\0\x85\x94"
         "C\x01"
         "b\x94\x87\x94R\x94(K\x01K\x02M\0\x0c\x86\x94h\x07"
         "\x8c\x05"
         "dtype\x94\x93\x94\x8c\x02u1\x94\x89\x88\x87\x94R\x94(K\x03\x8c\x01|"
         "\x94NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0t\x94"
         "b\x89"
         "B\0\x18\0\0"s +
         pixels() +
         "\x94t\x94"
         "bu."s;
}

std::string protocol5() {
  return "\x80\x05\x95\xd9\x18\0\0\0\0\0\0}\x94(\x8c\x06labels\x94]\x94(K\x06K\te\x8c\x04"
         "data\x94\x8c\x13numpy._core.numeric\x94\x8c\x0b"
         "_frombuffer\x94\x93\x94(\x96\0\x18\0\0\0\0\0\0"s +
         pixels() +
         "\x94\x8c\x05numpy\x94\x8c\x05"
         "dtype\x94\x93\x94\x8c\x02u1\x94\x89\x88\x87\x94R\x94(K\x03\x8c\x01|\x94NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xff"
         "K\0t\x94"
         "bK\x02M\0\x0c\x86\x94\x8c\x01"
         "C\x94t\x94R\x94u."s;
}

TEST(Pickle, ReadsACifarBatchAsEveryPythonWritesIt) {
  for (const auto& bytes : {python2(), protocol2(), protocol4(), protocol5()}) {
    const auto batch = read_cifar_batch(kBatch, bytes);
    ASSERT_TRUE(batch) << batch.error().message << " in " << bytes.substr(0, 2);
    EXPECT_THAT(batch->labels, ElementsAre(6, 9));
    EXPECT_EQ(planes_of(*batch), pixels());
  }
}

TEST(Pickle, ReadsFortranOrder) {
  auto bytes = python2();
  const auto flag = bytes.find("\x89T\0\x18"s);
  bytes[flag] = '\x88';
  const auto batch = read_cifar_batch(kBatch, bytes);
  ASSERT_TRUE(batch) << batch.error().message;
  const auto stored = pixels();
  EXPECT_EQ(batch->image(0)[1], stored[2]);
  EXPECT_EQ(batch->image(1)[0], stored[1]);
}

TEST(Pickle, ReadsTheClassNames) {
  const auto bytes =
      "\x80\x04\x95\x8d\0\0\0\0\0\0\0}\x94(\x8c\x13num_cases_per_batch\x94M\x10'\x8c\x0blabel_names\x94]\x94(\x8c\x08"
      "airplane\x94\x8c\n"
      "automobile\x94\x8c\x04"
      "bird\x94\x8c\x03"
      "cat\x94\x8c\x04"
      "deer\x94\x8c\x03"
      "dog\x94\x8c\x04"
      "frog\x94\x8c\x05horse\x94\x8c\x04ship\x94"
      "\x8c\x05truck\x94"
      "e\x8c\x07num_vis\x94M\0\x0cu."s;
  const auto names = read_cifar_names(kNames, bytes);
  ASSERT_TRUE(names) << names.error().message;
  EXPECT_EQ(names->size(), 10U);
  EXPECT_EQ(names->at(9), "truck");
}

TEST(Pickle, NeverRunsAnything) {
  // What pickle.loads would turn into os.system("true").
  const auto system = Pickle::read(
      "\x80\x02"
      "cposix\nsystem\nX\x04\0\0\0true\x85R."s);
  ASSERT_FALSE(system);
  EXPECT_EQ(system.error().code, ErrorCode::Unsupported);
  EXPECT_THAT(system.error().message, HasSubstr("posix.system"));
  EXPECT_THAT(Pickle::read("\x80\x04\x8c\x08"
                           "builtins\x8c\x04"
                           "eval\x93."s)
                  .error()
                  .message,
              HasSubstr("builtins.eval"));
  EXPECT_THAT(Pickle::read("\x80\x02i__main__\nX\n."s).error().message, HasSubstr("opcode"));
}

TEST(Pickle, RefusesAnArrayThatIsNamedButNeverFilled) {
  const auto array = "cnumpy.core.multiarray\n_reconstruct\n)R"s;
  const auto bytes = "\x80\x02}(X\x06\0\0\0labels"s + array + "X\x04\0\0\0data"s + array + "u."s;
  EXPECT_THAT(read_cifar_batch(kBatch, bytes).error().message, HasSubstr("\"labels\" is neither"));
  const auto no_labels = "\x80\x02}(X\x06\0\0\0labels]X\x04\0\0\0data"s + array + "u."s;
  EXPECT_THAT(read_cifar_batch(kBatch, no_labels).error().message, HasSubstr("\"data\" is not"));
}

TEST(Pickle, RefusesToCopyOneTextManyTimes) {
  const std::string text(10'000, 'x');
  auto encoded = "\x80\x02X\x10\x27\0\0"s + text + "q\x01X\x06\0\0\0latin1q\x02"s;
  for (int i = 0; i < 100; ++i) encoded += "c_codecs\nencode\nh\x01h\x02\x86R"s;
  EXPECT_THAT(Pickle::read(encoded + ".").error().message, HasSubstr("again and again"));

  auto names = "\x80\x02}X\x0b\0\0\0label_names]X\x10\x27\0\0"s + text + "q\x01"s;
  for (int i = 0; i < 100; ++i) names += "ah\x01"s;
  EXPECT_THAT(read_cifar_names(kNames, names + "as.").error().message, HasSubstr("101 class names"));
}

TEST(Pickle, RefusesAnArrayOfMoreDimensionsThanNumPyHas) {  // each array would have its own copy of the shape
  const auto shape = "(" + std::string(33, 'N') + "t";
  EXPECT_THAT(Pickle::read("\x80\x02"
                           "cnumpy.core.numeric\n_frombuffer\n(U\x01xcnumpy\ndtype\nU\x02u1\x85R"s +
                           shape + "U\x01" + "CtR.")
                  .error()
                  .message,
              HasSubstr("too many dimensions"));
}

TEST(Pickle, ReadsNumbersOfAnyLength) {
  const auto number = [](const std::string& opcodes) {
    const auto pickle = Pickle::read("\x80\x02" + opcodes + ".");
    EXPECT_TRUE(pickle) << pickle.error().message;
    return pickle ? std::pair(pickle->root().kind, pickle->root().number)
                  : std::pair(PickleValue::Kind::None, std::int64_t{0});
  };
  using Kind = PickleValue::Kind;
  EXPECT_EQ(number("\x8a\x06\x00\x10\xa5\xd4\xe8\x00"s), std::pair(Kind::Int, std::int64_t{1'000'000'000'000}));
  EXPECT_EQ(number("\x8a\x01\xff"s), std::pair(Kind::Int, std::int64_t{-1}));
  EXPECT_EQ(number("\x8a\x00"s), std::pair(Kind::Int, std::int64_t{0}));
  EXPECT_EQ(number("\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01"s).first, Kind::Other) << "2 to the 64th";
  EXPECT_EQ(number("G\x3f\xb9\x99\x99\x99\x99\x99\x9a"s).first, Kind::Other);
}

TEST(Pickle, RefusesEveryTruncationAndSurvivesAnyChangedByte) {
  for (const auto& whole : {python2(), protocol2(), protocol4(), protocol5()}) {
    for (std::size_t size = 0; size < whole.size(); size += size < 400 ? 1 : 97) {
      const std::string cut = whole.substr(0, size);
      ASSERT_FALSE(read_cifar_batch(kBatch, cut)) << size;
    }
    for (std::size_t i = 0; i < 400; ++i) {
      for (int value = 0; value < 256; value += 3) {
        auto damaged = whole;
        damaged[i] = static_cast<char>(value);
        const auto batch = read_cifar_batch(kBatch, damaged);
        if (!batch) continue;
        ASSERT_EQ(planes_of(*batch).size(), batch->labels.size() * kCifarImageBytes);
      }
    }
  }
}

}  // namespace
}  // namespace imago::data
