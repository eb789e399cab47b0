// SPDX-License-Identifier: Apache-2.0
#include "serve/predict_input.hpp"

#include <gmock/gmock.h>

#include "base/files.hpp"

namespace imago::serve {
namespace {

using testing::HasSubstr;

constexpr image::Preprocess kModel{.width = 2, .height = 1};

http::Request request_of(std::string type, std::string body) {
  http::Request request;
  if (!type.empty()) request.headers["Content-Type"] = std::move(type);
  request.body = std::move(body);
  return request;
}

std::string part(std::string_view disposition, std::string_view data) {
  return fmt::format("--B\r\nContent-Disposition: form-data; {}\r\n\r\n{}\r\n", disposition, data);
}
http::Request form(const std::string& parts) {
  return request_of("multipart/form-data; boundary=B", parts + "--B--\r\n");
}
http::Request json_request(std::string body) { return request_of("application/json", std::move(body)); }

std::string encoded_of(const http::Request& request) {
  const auto input = find_image(request, kModel);
  if (!input) return fmt::format("{} {}", input.error().status, input.error().error.message);
  return std::string(as_text(std::get<Encoded>(input->image).bytes()));
}
InputError error_of(const http::Request& request) {
  const auto input = find_image(request, kModel);
  return input ? InputError{200, {}} : input.error();
}

TEST(FindImage, TakesAFilePartOfAnyName) {
  for (const auto* name : {"file", "image", "data", "files", "files[]", "whatever"}) {
    EXPECT_EQ(encoded_of(form(part(fmt::format("name=\"{}\"; filename=\"x.jpg\"", name), "JPEG"))), "JPEG") << name;
  }
}

TEST(FindImage, PrefersTheNamesThatClientsUse) {
  const auto request = form(part("name=note", "text") + part("name=other; filename=a.jpg", "A") +
                            part("name=image; filename=b.jpg", "B") + part("name=file; filename=c.jpg", "C"));
  const auto input = find_image(request, kModel);
  ASSERT_TRUE(input.has_value());
  EXPECT_EQ(as_text(std::get<Encoded>(input->image).bytes()), "C");
  EXPECT_EQ(input->filename, "c.jpg");
}

TEST(FindImage, AnswersTheFirstOfSeveralFiles) {
  EXPECT_EQ(encoded_of(form(part("name=\"files[]\"; filename=1", "one") + part("name=\"files[]\"; filename=2", "two"))),
            "one");
}

TEST(FindImage, RefusesAFormWithoutAFile) {
  const auto error = error_of(form(part("name=file", "not a file part")));
  EXPECT_EQ(error.status, 400);
  EXPECT_THAT(error.error.message, HasSubstr("no file among the 1 parts"));
  EXPECT_THAT(error_of(form(part("name=file; filename=a.jpg", ""))).error.message, HasSubstr("'a.jpg' is empty"));
  EXPECT_EQ(error_of(request_of("multipart/form-data; boundary=B", "--B\r\ncut")).status, 400);
}

TEST(FindImage, TakesARawBody) {
  for (const auto* type : {"image/jpeg", "IMAGE/PNG", "application/octet-stream", ""}) {
    EXPECT_EQ(encoded_of(request_of(type, "bytes")), "bytes") << type;
  }
  EXPECT_EQ(error_of(request_of("image/jpeg", "")).status, 400);
}

TEST(FindImage, RefusesOtherTypesSayingWhichAreTaken) {
  for (const auto* type : {"application/xml", "text/plain", "application/x-www-form-urlencoded", "video/mp4"}) {
    const auto error = error_of(request_of(type, "x"));
    EXPECT_EQ(error.status, 415) << type;
    EXPECT_THAT(error.error.message, HasSubstr("multipart/form-data"));
  }
}

TEST(FindImage, TakesNumbersInJson) {
  const auto input =
      find_image(json_request(R"({"image": [1, 2, 3, 4, 5, 6], "extra": {"a": [1]}, "filename": "n.png"})"), kModel);
  ASSERT_TRUE(input.has_value()) << input.error().error.message;
  EXPECT_THAT(std::get<image::Image>(input->image).rgb, testing::ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_EQ(input->filename, "n.png");
}

TEST(FindImage, FollowsLayoutAndRange) {
  const auto input =
      find_image(json_request(R"({"layout": "chw", "range": 255, "image": [1, 0, 1, 0, 1, 0]})"), kModel);
  ASSERT_TRUE(input.has_value()) << input.error().error.message;
  EXPECT_THAT(std::get<image::Image>(input->image).rgb, testing::ElementsAre(1, 1, 1, 0, 0, 0));
  EXPECT_THAT(error_of(json_request(R"({"image": [1], "layout": "x"})")).error.message, HasSubstr("'layout' is 'x'"));
  EXPECT_THAT(error_of(json_request(R"({"image": [1], "layout": [1]})")).error.message,
              HasSubstr("'layout' is not a string"));
}

TEST(FindImage, TakesBase64AndDataUrls) {
  EXPECT_EQ(encoded_of(json_request(R"({"image": "Zm9vYmFy"})")), "foobar");
  EXPECT_EQ(encoded_of(json_request(R"({"image": "data:image\/png;base64,Zm9vYmFy"})")), "foobar");
  EXPECT_THAT(encoded_of(json_request(R"({"image": "data:text/plain,hi"})")), HasSubstr("400 'image' is a data: URL"));
  EXPECT_THAT(encoded_of(json_request(R"({"image": "Zm9v*mFy"})")), HasSubstr("400 'image': not base64"));
  EXPECT_THAT(encoded_of(json_request(R"({"image": ""})")), HasSubstr("400 'image' is an empty string"));
}

TEST(FindImage, SaysWhatIsWrongWithJson) {
  EXPECT_THAT(error_of(json_request(R"({"picture": []})")).error.message, HasSubstr("no 'image': send 6 numbers"));
  EXPECT_THAT(error_of(json_request(R"({"image": [1, 2]})")).error.message, HasSubstr("expected 6"));
  EXPECT_THAT(error_of(json_request(R"({"image": 7})")).error.message, HasSubstr("neither an array nor a string"));
  for (const auto* body : {"", "{not json", "[1,2]", R"({"image": [1, x]})", R"({"image": ["a"]})",
                           R"({"image": [1,2,3,4,5,6], "x": tru})"}) {
    EXPECT_EQ(error_of(json_request(body)).status, 400) << body;
  }
}

}  // namespace
}  // namespace imago::serve
