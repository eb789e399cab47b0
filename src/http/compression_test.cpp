// SPDX-License-Identifier: Apache-2.0
#include "http/compression.hpp"

#include <gmock/gmock.h>

namespace imago::http {
namespace {

using testing::HasSubstr;

constexpr std::size_t kMuch = 1 << 20;

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (const int value : values) text += static_cast<char>(value);
  return text;
}

// Python 3: gzip.compress(b"hello", mtime=0), zlib.compress(b"hello"), and the latter without its frame.
const std::string kGzipHello = bytes({0x1f, 0x8b, 0x08, 0, 0,    0,    0,    0,    0x02, 0xff, 0xcb, 0x48, 0xcd,
                                      0xc9, 0xc9, 0x07, 0, 0x86, 0xa6, 0x10, 0x36, 5,    0,    0,    0});
const std::string kZlibHello = bytes({0x78, 0x9c, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0, 0x06, 0x2c, 0x02, 0x15});
const std::string kBareHello = kZlibHello.substr(2, 7);

TEST(Compression, ReadsWhatOthersWrote) {
  EXPECT_EQ(decompress(kGzipHello, Coding::Gzip, kMuch).value(), "hello");
  EXPECT_EQ(decompress(kZlibHello, Coding::Deflate, kMuch).value(), "hello");
  EXPECT_EQ(decompress(kBareHello, Coding::Deflate, kMuch).value(), "hello");
}

TEST(Compression, ReadsWhatItWrote) {
  std::string text;
  for (unsigned i = 0; i < 100'000; ++i) text += static_cast<char>(i * i % 251);
  for (const Coding coding : {Coding::Gzip, Coding::Deflate}) {
    for (const auto& each : {std::string(), text}) {
      const auto packed = compress(each, coding);
      EXPECT_EQ(decompress(packed, coding, kMuch).value(), each);
    }
  }
}

TEST(Compression, UnpacksNoMoreThanItMay) {
  const auto bomb = compress(std::string(50 << 20, '\0'), Coding::Gzip);
  EXPECT_LT(bomb.size(), 300'000U);
  const auto refused = decompress(bomb, Coding::Gzip, kMuch);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::ResourceExhausted);
  EXPECT_THAT(refused.error().message, HasSubstr("1048576"));
  EXPECT_EQ(decompress(compress("hello", Coding::Gzip), Coding::Gzip, 5).value(), "hello");
  EXPECT_FALSE(decompress(compress("hello", Coding::Gzip), Coding::Gzip, 4).has_value());
}

TEST(Compression, RefusesWhatIsDamaged) {
  for (std::size_t cut = 0; cut < kGzipHello.size(); ++cut)
    EXPECT_EQ(decompress(kGzipHello.substr(0, cut), Coding::Gzip, kMuch).error().code, ErrorCode::InvalidArgument)
        << cut;
  EXPECT_FALSE(decompress(kGzipHello + "x", Coding::Gzip, kMuch).has_value());
  EXPECT_FALSE(decompress(kZlibHello, Coding::Gzip, kMuch).has_value());
  EXPECT_FALSE(decompress("hello", Coding::Deflate, kMuch).has_value());
  auto wrong_sum = kGzipHello;
  wrong_sum[18] = 0;
  EXPECT_FALSE(decompress(wrong_sum, Coding::Gzip, kMuch).has_value());
}

TEST(Compression, KnowsWhatIsTaken) {
  EXPECT_EQ(parse_coding("").value(), Coding::Identity);
  EXPECT_EQ(parse_coding(" GZIP ").value(), Coding::Gzip);
  EXPECT_EQ(parse_coding("deflate").value(), Coding::Deflate);
  EXPECT_THAT(parse_coding("br").error().message, HasSubstr("'br'"));
  EXPECT_FALSE(parse_coding("gzip, gzip").has_value());
}

TEST(Compression, GivesWhatIsAskedFor) {
  EXPECT_EQ(accepted_coding(""), Coding::Identity);
  EXPECT_EQ(accepted_coding("gzip, deflate, br"), Coding::Gzip);
  EXPECT_EQ(accepted_coding("deflate, gzip;q=0.5"), Coding::Deflate);
  EXPECT_EQ(accepted_coding("br, gzip;q=0"), Coding::Identity);
  EXPECT_EQ(accepted_coding("identity"), Coding::Identity);
}

TEST(Compression, PacksAnswersThatAreWorthIt) {
  Request request;
  request.headers.emplace("Accept-Encoding", "gzip");
  const auto packed = [&](Response response) {
    compress_answer(request, response);
    return response.headers.contains("Content-Encoding");
  };
  const std::string text(5000, 'x');
  EXPECT_TRUE(packed({.headers = {{"Content-Type", "application/json"}}, .body = text}));
  EXPECT_FALSE(packed({.headers = {{"Content-Type", "application/json"}}, .body = "{}"}));
  EXPECT_FALSE(packed({.headers = {{"Content-Type", "image/png"}}, .body = text}));
  EXPECT_FALSE(packed({.status = 404, .headers = {{"Content-Type", "application/json"}}, .body = text}));
  request.headers.clear();
  Response plain{.headers = {{"Content-Type", "text/plain"}, {"Vary", "Accept"}}, .body = text};
  compress_answer(request, plain);
  EXPECT_EQ(plain.body, text);
  EXPECT_EQ(plain.headers.at("Vary"), "Accept, Accept-Encoding");
}

}  // namespace
}  // namespace imago::http
