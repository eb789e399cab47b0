// SPDX-License-Identifier: Apache-2.0
#include "http/multipart.hpp"

#include <gmock/gmock.h>

namespace imago::http {
namespace {

using testing::HasSubstr;

constexpr std::string_view kType = "multipart/form-data; boundary=XyZ";

std::string file_part(std::string_view disposition, std::string_view data) {
  return fmt::format("--XyZ\r\nContent-Disposition: form-data; {}\r\nContent-Type: image/png\r\n\r\n{}\r\n",
                     disposition, data);
}

TEST(Multipart, GivesNamesTypesAndDataInPlace) {
  const std::string body = file_part(R"(name="file"; filename="cat.png")", "\x89PNG\r\n\x1a") +
                           "--XyZ\r\ncontent-disposition: form-data; name=label\r\n\r\ncat\r\n--XyZ--\r\n";
  const auto parts = parse_multipart(kType, body);
  ASSERT_TRUE(parts.has_value()) << parts.error().message;
  ASSERT_EQ(parts->size(), 2U);
  EXPECT_EQ((*parts)[0].name, "file");
  EXPECT_EQ((*parts)[0].filename, "cat.png");
  EXPECT_EQ((*parts)[0].content_type, "image/png");
  EXPECT_EQ((*parts)[0].data, "\x89PNG\r\n\x1a");
  EXPECT_GE((*parts)[0].data.data(), body.data());
  EXPECT_LT((*parts)[0].data.data(), body.data() + body.size());
  EXPECT_EQ((*parts)[1].name, "label");
  EXPECT_FALSE((*parts)[1].is_file);
  EXPECT_EQ((*parts)[1].data, "cat");
}

TEST(Multipart, TakesNothingForAPartThatIsEmpty) {
  const std::string body = file_part("name=a", "") + file_part("name=b; filename=\"\"", "") + "--XyZ--";
  const auto parts = parse_multipart(kType, body);
  ASSERT_TRUE(parts.has_value()) << parts.error().message;
  ASSERT_EQ(parts->size(), 2U);
  EXPECT_EQ((*parts)[0].data, "");
  EXPECT_TRUE((*parts)[1].is_file);
}

TEST(Multipart, TakesAFormWithNoPartsAtAll) {
  const auto parts = parse_multipart(kType, "--XyZ--\r\n");
  ASSERT_TRUE(parts.has_value()) << parts.error().message;
  EXPECT_TRUE(parts->empty());
}

TEST(Multipart, SkipsPreambleEpilogueAndBlanksAfterTheBoundary) {
  const auto parts =
      parse_multipart(kType, "hello\r\n--XyZ \t\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--XyZ--\r\nbye");
  ASSERT_TRUE(parts.has_value()) << parts.error().message;
  ASSERT_EQ(parts->size(), 1U);
  EXPECT_EQ((*parts)[0].data, "1");
}

TEST(Multipart, KeepsDataThatLooksLikeABoundary) {
  const std::string data = "x--XyZ\r\n--Xy\r\n-- XyZ\n--XyZ";
  const std::string body = file_part("name=a", data) + "--XyZ--";
  const auto parts = parse_multipart(kType, body);
  ASSERT_TRUE(parts.has_value()) << parts.error().message;
  EXPECT_EQ((*parts)[0].data, data);
}

TEST(Multipart, RefusesABodyCutAtAnyByte) {
  const std::string body =
      file_part(R"(name="file"; filename="a.png")", "some data\r\n--Xy") + file_part("name=b", "") + "--XyZ--";
  ASSERT_TRUE(parse_multipart(kType, body).has_value());
  for (std::size_t size = 0; size < body.size(); ++size) {
    const auto parts = parse_multipart(kType, std::string_view(body).substr(0, size));
    ASSERT_FALSE(parts.has_value()) << "cut after " << size;
    EXPECT_EQ(parts.error().code, ErrorCode::InvalidArgument);
  }
}

TEST(Multipart, SurvivesEveryByteReplaced) {
  const std::string body = file_part(R"(name="file"; filename="a\"b.png")", "data") + "--XyZ--";
  for (std::size_t at = 0; at < body.size(); ++at) {
    for (const char byte : {'\0', '\r', '\n', '"', '\\', ';', '-', '\xff'}) {
      std::string altered = body;
      altered[at] = byte;
      const auto parts = parse_multipart(kType, altered);
      if (parts) {
        EXPECT_LE(parts->size(), 1U);
      }
    }
  }
}

TEST(Multipart, RefusesLinesThatEndInLfOnly) {
  const auto parts = parse_multipart(kType, "--XyZ\nContent-Disposition: form-data; name=a\n\n1\n--XyZ--\n");
  ASSERT_FALSE(parts.has_value());
  EXPECT_THAT(parts.error().message, HasSubstr("CRLF"));
}

TEST(Multipart, NamesWhatIsWrongWithTheBoundary) {
  EXPECT_THAT(parse_multipart("multipart/form-data", "--XyZ--").error().message, HasSubstr("names no boundary"));
  EXPECT_THAT(parse_multipart("multipart/form-data; boundary=\"\"", "----").error().message,
              HasSubstr("names no boundary"));
  EXPECT_THAT(parse_multipart("multipart/form-data; boundary=" + std::string(71, 'a'), "").error().message,
              HasSubstr("70"));
  EXPECT_THAT(parse_multipart("multipart/form-data; boundary=other", "--XyZ--").error().message,
              HasSubstr("'other' is not in the body"));
}

TEST(Multipart, TakesAQuotedBoundaryWithOddCharacters) {
  const auto parts = parse_multipart("multipart/form-data; charset=x; Boundary=\"a b;=?\"",
                                     "--a b;=?\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--a b;=?--");
  ASSERT_TRUE(parts.has_value()) << parts.error().message;
  EXPECT_EQ((*parts)[0].data, "1");
}

TEST(Multipart, RefusesAPartWithoutANameOrHeaders) {
  EXPECT_THAT(parse_multipart(kType, "--XyZ\r\n\r\ndata\r\n--XyZ--").error().message, HasSubstr("part 0: no name"));
  EXPECT_THAT(parse_multipart(kType, "--XyZ\r\nContent-Type: a/b\r\n\r\ndata\r\n--XyZ--").error().message,
              HasSubstr("no name"));
  EXPECT_THAT(parse_multipart(kType, "--XyZ\r\nnonsense\r\n\r\ndata\r\n--XyZ--").error().message,
              HasSubstr("without ':'"));
}

TEST(Multipart, BoundsThePartHeader) {
  EXPECT_THAT(parse_multipart(kType, file_part("name=a; x=" + std::string(9000, 'x'), "1") + "--XyZ--").error().message,
              HasSubstr("over 8192"));
}

TEST(Multipart, ReadsFilenamesAsBrowsersAndCurlWriteThem) {
  const auto filename = [](std::string_view text) {
    const auto parts = parse_multipart(kType, file_part(fmt::format("name=f; {}", text), "1") + "--XyZ--");
    return parts ? (*parts)[0].filename : parts.error().message;
  };
  EXPECT_EQ(filename(R"(filename="a;b=c.png")"), "a;b=c.png");
  EXPECT_EQ(filename(R"(filename="a\"b\\c.png")"), R"(a"b\c.png)");
  EXPECT_EQ(filename(R"(filename="C:\temp\x.png")"), R"(C:\temp\x.png)");
  EXPECT_EQ(filename(R"(filename=plain.png)"), "plain.png");
  EXPECT_EQ(filename(R"(filename="../../etc/passwd")"), "../../etc/passwd");
  EXPECT_EQ(filename(R"(filename="na.png"; filename*=UTF-8''na%C3%AFve%20.png)"), "na\xC3\xAFve .png");
  EXPECT_EQ(filename(R"(filename*=utf-8'en'x%2)"), "x%2");
  EXPECT_EQ(filename(R"(filename="kept.png"; filename*=latin1''y)"), "kept.png");
  EXPECT_EQ(filename(R"(filename="unclosed)"), "unclosed");
  EXPECT_EQ(filename(R"(xfilename="x")"), "");
}

TEST(Multipart, TakesTenThousandPartsAndNotOneMore) {
  std::string body;
  for (int i = 0; i < 10'000; ++i) body += file_part("name=a", "1");
  const auto parts = parse_multipart(kType, body + "--XyZ--");
  ASSERT_TRUE(parts.has_value()) << parts.error().message;
  EXPECT_EQ(parts->size(), 10'000U);
  const auto more = parse_multipart(kType, body + file_part("name=a", "1") + "--XyZ--");
  ASSERT_FALSE(more.has_value());
  EXPECT_EQ(more.error().code, ErrorCode::ResourceExhausted);
}

}  // namespace
}  // namespace imago::http
