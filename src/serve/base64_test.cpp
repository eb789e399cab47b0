// SPDX-License-Identifier: Apache-2.0
#include "serve/base64.hpp"

#include <gtest/gtest.h>

namespace imago::serve {
namespace {

TEST(Base64, GivesTheTestVectorsOfRfc4648) {
  EXPECT_EQ(decode_base64("").value(), "");
  EXPECT_EQ(decode_base64("Zg==").value(), "f");
  EXPECT_EQ(decode_base64("Zm8=").value(), "fo");
  EXPECT_EQ(decode_base64("Zm9v").value(), "foo");
  EXPECT_EQ(decode_base64("Zm9vYg==").value(), "foob");
  EXPECT_EQ(decode_base64("Zm9vYmE=").value(), "fooba");
  EXPECT_EQ(decode_base64("Zm9vYmFy").value(), "foobar");
}

TEST(Base64, WritesTheTestVectorsOfRfc4648) {
  const std::string text = "foobar";
  const char* const expected[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
  for (std::size_t i = 0; i <= 6; ++i) EXPECT_EQ(encode_base64(text.substr(0, i)), expected[i]);
  std::string every;
  for (int i = 0; i < 256; ++i) every += static_cast<char>(i);
  EXPECT_EQ(decode_base64(encode_base64(every)).value(), every);
}

TEST(Base64, TakesBothAlphabetsMissingPaddingAndLineBreaks) {
  EXPECT_EQ(decode_base64("+/+/").value(), "\xFB\xFF\xBF");
  EXPECT_EQ(decode_base64("-_-_").value(), "\xFB\xFF\xBF");
  EXPECT_EQ(decode_base64("Zm9vYg").value(), "foob");
  EXPECT_EQ(decode_base64("Zm9v\r\nYmFy\n").value(), "foobar");
}

TEST(Base64, GivesEveryByteBack) {
  // Python: base64.b64encode(bytes(range(256)))[:8] and [-8:]
  EXPECT_EQ(decode_base64("AAECAwQF").value(), std::string("\0\1\2\3\4\5", 6));
  EXPECT_EQ(decode_base64("+/z9/v8=").value(), "\xFB\xFC\xFD\xFE\xFF");
}

TEST(Base64, RefusesWhatIsNone) {
  for (const auto* text :
       {"Zm9v!", "Z", "Zm9vY", "Zg==Zg==", "Zm9v====", "=", "Zg=", "Zm 9v", "Zm9v=", "\xff\xff\xff\xff"}) {
    EXPECT_FALSE(decode_base64(text).has_value()) << text;
  }
  EXPECT_EQ(decode_base64("Zm9v*mFy").error().message, "not base64 at character 4 of 8");
}

}  // namespace
}  // namespace imago::serve
