// SPDX-License-Identifier: Apache-2.0
#include "serve/cors.hpp"

#include <gmock/gmock.h>

namespace imago::serve {
namespace {

http::Request request_from(std::string origin, std::string method = "GET") {
  http::Request request;
  request.method = std::move(method);
  if (!origin.empty()) request.headers.emplace("Origin", std::move(origin));
  return request;
}

http::Fields marked(const Cors& cors, const http::Request& request, http::Fields headers = {}) {
  http::Response response{.headers = std::move(headers)};
  cors.mark(request, response);
  return response.headers;
}

TEST(Cors, SaysNothingUnlessToldTo) {
  EXPECT_TRUE(marked(Cors(), request_from("https://app.example")).empty());
  EXPECT_FALSE(Cors().allows(request_from("https://app.example")));
}

TEST(Cors, LetsTheNamedPagesRead) {
  const auto cors = Cors::parse({"https://app.example", "http://localhost:3000"}).value();
  const auto own = marked(cors, request_from("http://localhost:3000"), {{"Vary", "Accept"}});
  EXPECT_EQ(own.at("Access-Control-Allow-Origin"), "http://localhost:3000");
  EXPECT_EQ(own.at("Vary"), "Accept, Origin");
  for (const auto* origin : {"", "null", "https://app.example.org", "https://evil.example", "http://app.example",
                             "https://app.example:8443", "https://app.example, https://evil.example"}) {
    const auto other = marked(cors, request_from(origin));
    EXPECT_FALSE(other.contains("Access-Control-Allow-Origin")) << origin;
    EXPECT_EQ(other.at("Vary"), "Origin") << "or a cache gives one page's answer to another";
  }
}

TEST(Cors, LetsAnyPageReadWhenToldSo) {
  const auto cors = Cors::parse({"*"}).value();
  const auto headers = marked(cors, request_from("https://whoever.example"));
  EXPECT_EQ(headers.at("Access-Control-Allow-Origin"), "*");
  EXPECT_FALSE(headers.contains("Access-Control-Allow-Credentials")) << "there are no cookies to send";
}

TEST(Cors, AnswersTheQuestionBefore) {
  const auto cors = Cors::parse({"https://app.example"}).value();
  auto request = request_from("https://app.example", "OPTIONS");
  EXPECT_FALSE(Cors::is_preflight(request));
  request.headers.emplace("Access-Control-Request-Method", "DELETE");
  request.headers.emplace("Access-Control-Request-Headers", "content-type,x-api-key");
  EXPECT_TRUE(Cors::is_preflight(request));
  const auto answer = cors.answer_preflight(request);
  EXPECT_EQ(answer.status, 204);
  EXPECT_THAT(answer.headers.at("Access-Control-Allow-Methods"), testing::HasSubstr("DELETE"));
  EXPECT_EQ(answer.headers.at("Access-Control-Allow-Headers"), "content-type,x-api-key");
  request.headers["Access-Control-Request-Headers"] = "x\r\nSet-Cookie: a";
  EXPECT_FALSE(cors.answer_preflight(request).headers.contains("Access-Control-Allow-Headers"));
  request.headers["Origin"] = "https://evil.example";
  EXPECT_TRUE(cors.answer_preflight(request).headers.empty());
}

TEST(Cors, RefusesWhatIsNoOrigin) {
  for (const auto* origin : {"", "app.example", "https://", "https://app.example/", "https://App.example",
                             "ftp://app.example", "https://a b", "null"})
    EXPECT_FALSE(Cors::parse({origin}).has_value()) << origin;
}

}  // namespace
}  // namespace imago::serve
