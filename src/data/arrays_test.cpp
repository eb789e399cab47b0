// SPDX-License-Identifier: Apache-2.0
#include "data/arrays.hpp"

#include <gmock/gmock.h>

#include <cstring>
#include <limits>

#include "data/test_data.hpp"

namespace imago::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::zip_of;

const std::vector<std::string> kClasses{"bird", "cat", "dog"};

template <class T>
std::string array(std::string_view type, const std::vector<std::int64_t>& shape, const std::vector<T>& values) {
  std::string bytes = npy_header(type, shape);
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  return bytes;
}

/// Two images of one pixel each.
std::string two_pixels() { return array<std::uint8_t>("|u1", {2, 1, 1, 3}, {1, 2, 3, 4, 5, 6}); }

std::string message(const std::string& pixels, const std::string& labels = {},
                    const std::vector<std::string>& classes = kClasses) {
  const auto images = ArrayImages::open(pixels, as_bytes(labels), classes);
  return images ? "taken" : images.error().message;
}

std::string base64(std::string_view text) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  unsigned bits = 0;
  int count = 0;
  for (const char digit : text) {
    if (digit == '=') break;
    bits = bits << 6U | static_cast<unsigned>(kDigits.find(digit));
    if ((count += 6) < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> static_cast<unsigned>(count) & 0xFFU);
  }
  return bytes;
}

TEST(Arrays, ReadsWhatNumpySavesCompressed) {
  // numpy 2.4.6: savez_compressed(f, x_new=uint8 [[[[255,0,0],[0,255,0]]],[[[0,0,255],[10,20,30]]]],
  // y_new=["cat","dog"])
  const auto bytes = base64(
      "UEsDBC0AAAAIAAAAIQAHCwW7//////////8JABQAeF9uZXcubnB5AQAQAIwAAAAAAAAAUwAAAAAAAACb7BfqGxDJyFDGUK2eklqcXKRupaBeU2qo"
      "rqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOgqGOgpA0lhTR6FWgQzA9Z+BgQGMuUTkAFBLAwQtAAAACAAAACEA1ZFd4P//////////"
      "CQAUAHlfbmV3Lm5weQEAEACYAAAAAAAAAFUAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgbhNqrK6joJ6WX1RSlJgXn1+UkgoSd0vMKU4Fihdn"
      "JBakAvkaRjqaOgq1ChQArmQGBoZEIC4B4hQgzgfidCAGAFBLAQItAy0AAAAIAAAAIQAHCwW7UwAAAIwAAAAJAAAAAAAAAAAAAACAAQAAAAB4X25l"
      "dy5ucHlQSwECLQMtAAAACAAAACEA1ZFd4FUAAACYAAAACQAAAAAAAAAAAAAAgAGOAAAAeV9uZXcubnB5UEsFBgAAAAACAAIAbgAAAB4BAAAAAA="
      "=");
  EXPECT_TRUE(looks_like_npz(bytes));
  const auto images = read_npz("new_data.npz", bytes, kClasses);
  ASSERT_TRUE(images) << images.error().message;
  ASSERT_EQ(images->size(), 2U);
  EXPECT_EQ(images->image(0).width, 2);
  EXPECT_EQ(images->image(0).height, 1);
  EXPECT_THAT(images->image(0).rgb, ElementsAre(255, 0, 0, 0, 255, 0));
  EXPECT_THAT(images->image(1).rgb, ElementsAre(0, 0, 255, 10, 20, 30));
  EXPECT_EQ(images->label(0).value(), "cat");
  EXPECT_EQ(images->label(1).value(), "dog");
}

TEST(Arrays, TakesFloatsOfEitherRangeAndGray) {
  const auto unit = ArrayImages::open(array<float>("<f4", {1, 1, 1, 3}, {0, 0.5F, 1}), {}, {}).value();
  EXPECT_THAT(unit.image(0).rgb, ElementsAre(0, 128, 255));
  EXPECT_EQ(unit.label(0).value(), "");
  const auto byte = ArrayImages::open(array<double>("<f8", {1, 1, 1, 3}, {0, 1.4, 255}), {}, {}).value();
  EXPECT_THAT(byte.image(0).rgb, ElementsAre(0, 1, 255));
  const auto gray = ArrayImages::open(array<std::uint8_t>("|u1", {1, 1, 2}, {7, 9}), {}, {}).value();
  EXPECT_THAT(gray.image(0).rgb, ElementsAre(7, 7, 7, 9, 9, 9));
}

TEST(Arrays, TakesClassNumbersOneHotRowsAndNames) {
  const auto labels = [](const std::string& array) {
    const auto images = ArrayImages::open(two_pixels(), as_bytes(array), kClasses);
    EXPECT_TRUE(images) << images.error().message;
    return images->label(0).value_or("none") + " " + images->label(1).value_or("none");
  };
  EXPECT_EQ(labels(array<std::int64_t>("<i8", {2}, {2, 0})), "dog bird");
  EXPECT_EQ(labels(array<std::uint8_t>("|u1", {2, 1}, {1, 1})), "cat cat");
  EXPECT_EQ(labels(array<float>("<f4", {2}, {1, 0.5F})), "cat none");
  EXPECT_EQ(labels(array<std::int64_t>("<i8", {2}, {3, -1})), "none none");
  EXPECT_EQ(labels(array<float>("<f4", {2, 3}, {0, 1, 0, 1, 0, 0})), "cat bird");
  EXPECT_EQ(labels(array<float>("<f4", {2, 3}, {0, 1, 1, 0.5F, 0.5F, 0})), "none none");
  EXPECT_EQ(labels(array<char>("|S4", {2}, {'c', 'a', 't', 0, 'd', 'o', 'g', 's'})), "cat dogs");
  EXPECT_EQ(labels(array<std::uint32_t>("<U2", {2}, {0xE9, 0x1F600, 'x', 0})), "\xC3\xA9\xF0\x9F\x98\x80 x");
}

TEST(Arrays, SaysWhatIsWrong) {
  EXPECT_THAT(message(two_pixels(), array<std::int64_t>("<i8", {3}, {0, 1, 2})),
              HasSubstr("labels of shape [3] for 2 images"));
  EXPECT_THAT(message(array<std::uint8_t>("|u1", {2, 3}, {1, 2, 3, 4, 5, 6})), HasSubstr("[2, 3]"));
  EXPECT_THAT(message(array<std::uint8_t>("|u1", {1, 1, 1, 4}, {1, 2, 3, 4})), HasSubstr("[n, height, width, 3]"));
  EXPECT_THAT(message(array<std::uint8_t>("|u1", {0, 0, 5, 3}, {})), HasSubstr("5 x 0 pixels"));
  EXPECT_THAT(message(array<std::uint16_t>("<f2", {1, 1, 1, 3}, {0, 0, 0})), HasSubstr("'<f2'"));
  EXPECT_THAT(message(array<float>("<f4", {1, 1, 1, 3}, {-1, 0, 1})), HasSubstr("not normalised values"));
  EXPECT_THAT(message(array<float>("<f4", {1, 1, 1, 3}, {std::numeric_limits<float>::quiet_NaN(), 0, 1})),
              HasSubstr("not all numbers"));
  EXPECT_THAT(message(two_pixels(), array<std::int64_t>("<i8", {2}, {0, 1}), {}), HasSubstr("send names"));
  EXPECT_THAT(message(two_pixels(), array<float>("<f4", {2, 2}, {0, 1, 1, 0})), HasSubstr("[2, 3]"));
  EXPECT_THAT(message(two_pixels(), array<std::uint32_t>("<U1", {2}, {0xD800, 'x'})), HasSubstr("Unicode"));
  EXPECT_THAT(message(two_pixels(), "no array"), HasSubstr("the array of labels: not a .npy file"));
  EXPECT_THAT(message(npy_header("|u1", {1'000'000'000, 1000, 1000, 3})), HasSubstr("needs more than the 0 bytes"));
}

TEST(Arrays, RefusesFilesThatAreNoPairOfArrays) {
  const auto refusal = [](const std::vector<std::pair<std::string, std::string>>& files) {
    return read_npz("x.npz", zip_of(files), kClasses).error().message;
  };
  EXPECT_THAT(refusal({{"weights.npy", two_pixels()}}), HasSubstr("x_new and y_new"));
  EXPECT_THAT(refusal({{"x.npy", "text"}}), HasSubstr("not a .npy file"));
  EXPECT_THAT(refusal({{"../x.npy", two_pixels()}}), HasSubstr("leads out of it"));
  EXPECT_THAT(refusal({{"x.npy", npy_header("|u1", {1, 9999, 9999, 3}) + std::string(299'940'003, '\0')}}),
              HasSubstr("bomb"));
  const auto whole = zip_of({{"x.npy", two_pixels()}});
  for (std::size_t length = 0; length < whole.size() - 22; length += 7)  // the last 22 bytes end the list of members
    EXPECT_FALSE(read_npz("x.npz", whole.substr(0, length), kClasses)) << length;
  EXPECT_FALSE(looks_like_npz(zip_of({{"cat/1.jpg", "x"}})));
  EXPECT_FALSE(looks_like_npz("PK\3\4"));
}

}  // namespace
}  // namespace imago::data
