// SPDX-License-Identifier: Apache-2.0
#include "serve/negotiate.hpp"

#include <gmock/gmock.h>

#include <set>
#include <thread>

namespace imago::serve {
namespace {

http::Request with_accept(std::string accept) {
  http::Request request;
  if (!accept.empty()) request.headers["Accept"] = std::move(accept);
  return request;
}

MetricsFormat format_for(std::string accept, MetricsFormat otherwise = MetricsFormat::Json) {
  return metrics_format(with_accept(std::move(accept)), otherwise).value();
}

TEST(MediaType, DropsParametersAndCase) {
  EXPECT_EQ(media_type("Multipart/Form-Data; boundary=X"), "multipart/form-data");
  EXPECT_EQ(media_type(" image/png "), "image/png");
  EXPECT_EQ(media_type(""), "");
}

TEST(Accepts, OnlyWhatIsNamed) {
  // What Chromium 120 sends for a page.
  const auto* browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";
  EXPECT_TRUE(accepts_by_name(browser, "text/html"));
  EXPECT_FALSE(accepts_by_name(browser, "application/json"));
  EXPECT_FALSE(accepts_by_name("*/*", "text/html"));
  EXPECT_FALSE(accepts_by_name("text/*", "text/html"));
  EXPECT_FALSE(accepts_by_name("", "text/html"));
  EXPECT_FALSE(accepts_by_name("application/json, text/html;q=0", "text/html"));
  EXPECT_TRUE(accepts_by_name("application/json, TEXT/HTML; q=0.1", "text/html"));
}

TEST(MetricsFormat, IsPrometheusForPrometheusAndJsonForTheRest) {
  // What Prometheus 2.45 sends.
  EXPECT_EQ(format_for("application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"),
            MetricsFormat::Prometheus);
  EXPECT_EQ(format_for("text/plain"), MetricsFormat::Prometheus);
  EXPECT_EQ(format_for("*/*"), MetricsFormat::Json);
  EXPECT_EQ(format_for(""), MetricsFormat::Json);
  EXPECT_EQ(format_for("application/json"), MetricsFormat::Json);
}

TEST(MetricsFormat, DefaultCanBeFlippedButNotForThoseWhoSay) {
  EXPECT_EQ(format_for("*/*", MetricsFormat::Prometheus), MetricsFormat::Prometheus);
  EXPECT_EQ(format_for("application/json", MetricsFormat::Prometheus), MetricsFormat::Json);
}

TEST(MetricsFormat, FollowsTheQueryFirst) {
  auto request = with_accept("text/plain");
  request.query["format"] = "json";
  EXPECT_EQ(*metrics_format(request, MetricsFormat::Json), MetricsFormat::Json);
  request.query["format"] = "prometheus";
  EXPECT_EQ(*metrics_format(request, MetricsFormat::Json), MetricsFormat::Prometheus);
  request.query["format"] = "xml";
  EXPECT_THAT(metrics_format(request, MetricsFormat::Json).error().message, testing::HasSubstr("'xml'"));
}

TEST(RequestId, IsTheClientsWhenItIsHarmless) {
  http::Request request;
  for (const std::string& id : {std::string("abc"), std::string("a-b_c.D9"), std::string(64, 'x')}) {
    request.headers["x-request-id"] = id;
    EXPECT_EQ(request_id(request), id);
  }
  for (const std::string& id :
       {std::string(65, 'x'), std::string("a b"), std::string("a\"b"), std::string("ä"), std::string()}) {
    request.headers["x-request-id"] = id;
    EXPECT_NE(request_id(request), id);
    EXPECT_EQ(request_id(request).size(), 16U);
  }
}

TEST(RequestId, NeverComesTwice) {
  std::vector<std::set<std::string>> ids(4);
  std::vector<std::thread> threads;
  for (auto& mine : ids) {
    threads.emplace_back([&mine] {
      for (int i = 0; i < 1000; ++i) mine.insert(request_id({}));
    });
  }
  for (auto& thread : threads) thread.join();
  std::set<std::string> all;
  for (const auto& mine : ids) all.insert(mine.begin(), mine.end());
  EXPECT_EQ(all.size(), 4000U);
}

}  // namespace
}  // namespace imago::serve
