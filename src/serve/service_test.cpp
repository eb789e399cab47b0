// SPDX-License-Identifier: Apache-2.0
#include "serve/service.hpp"

#include <gmock/gmock.h>

#include <future>

#include "serve/dashboard.hpp"
#include "serve/test_client.hpp"

namespace imago::serve {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// A server as it is before anything was trained.
class EmptyService : public testing::Test {
 protected:
  void SetUp() override {
    ServeOptions options;
    options.http.port = 0;
    options.http.max_body_bytes = 100'000;
    options.version = "9.8.7";
    auto started = Service::start(options);
    ASSERT_TRUE(started.has_value()) << started.error().message;
    service_ = std::move(*started);
  }

  http::ClientResponse send(const std::string& method, std::string_view path, http::Fields headers = {},
                            std::string body = {}) {
    return exchange(service_->port(), method, path, std::move(headers), std::move(body));
  }
  json::Value get_json(std::string_view path) { return json_in(send("GET", path)); }

  std::unique_ptr<Service> service_;
};

void expect_error(const http::ClientResponse& response, int status, std::string_view text) {
  EXPECT_EQ(response.status, status) << response.body;
  EXPECT_EQ(response.headers.at("Content-Type"), "application/json");
  const auto body = json::parse(response.body);
  ASSERT_TRUE(body.has_value()) << response.body;
  EXPECT_THAT((*body)["error"].get<std::string>(), HasSubstr(text));
  EXPECT_EQ((*body)["detail"], (*body)["error"]);
  EXPECT_EQ((*body)["request_id"], response.headers.at("X-Request-ID"));
  EXPECT_TRUE((*body)["code"].is_string());
}

TEST_F(EmptyService, IsAliveButNotReady) {
  EXPECT_EQ(json::dump(get_json("/health")), R"({"status":"ok","ready":false})");
  const auto ready = send("GET", "/ready");
  expect_error(ready, 503, "train one with `imago train`");
  EXPECT_EQ(json::parse(ready.body).value()["ready"], false);
  const auto status = get_json("/status");
  EXPECT_EQ(status["status"], "not_ready");
  EXPECT_TRUE(status["model"].is_null());
  EXPECT_EQ(status["version"], "9.8.7");
  EXPECT_GE(get_json("/uptime")["uptime_seconds"].get<double>(), 0.0);
}

TEST_F(EmptyService, SaysWhyItCannotPredict) {
  const auto response = send("POST", "/predict", {{"Content-Type", "image/png"}}, "x");
  expect_error(response, 503, "no model yet");
  EXPECT_EQ(response.headers.at("Retry-After"), "1");
  service_->set_not_ready("the model is being loaded");
  expect_error(send("POST", "/predict", {{"Content-Type", "image/png"}}, "x"), 503, "being loaded");
}

TEST_F(EmptyService, GivesAllErrorsOneShape) {
  expect_error(send("GET", "/nosuch"), 404, "nothing at /nosuch");
  const auto wrong_method = send("GET", "/predict");
  expect_error(wrong_method, 405, "only POST");
  EXPECT_EQ(wrong_method.headers.at("Allow"), "POST");
  expect_error(send("POST", "/predict", {}, std::string(100'001, 'x')), 413, "at most 100000");
  expect_error(send("GET", "/metrics?format=xml"), 400, "'xml'");
}

TEST_F(EmptyService, ReturnsTheRequestIdItWasGiven) {
  EXPECT_EQ(send("GET", "/health", {{"X-Request-ID", "mine-1"}}).headers.at("X-Request-ID"), "mine-1");
  EXPECT_EQ(send("GET", "/health", {{"X-Request-ID", "not valid"}}).headers.at("X-Request-ID").size(), 16U);
}

TEST_F(EmptyService, NegotiatesMetrics) {
  send("POST", "/predict", {{"Content-Type", "image/png"}}, "x");
  const auto value = get_json("/metrics");
  EXPECT_EQ(value["total_requests"], 1);
  EXPECT_EQ(value["prediction_count"], 0);
  EXPECT_TRUE(value["average_latency_seconds"].is_number());
  for (const char* key : {"loss", "accuracy", "val_loss", "val_accuracy"}) EXPECT_TRUE(value[key].is_array()) << key;
  EXPECT_TRUE(value["training"].is_object());

  for (const auto& response : {send("GET", "/metrics", {{"Accept", "text/plain"}}),
                               send("GET", "/metrics?format=prometheus"), send("GET", "/metrics/prometheus")}) {
    EXPECT_THAT(response.headers.at("Content-Type"), StartsWith("text/plain; version=0.0.4"));
    EXPECT_THAT(response.body, HasSubstr("imago_requests_total{endpoint=\"/predict\",status=\"503\"} 1\n"));
    EXPECT_THAT(response.body, HasSubstr("imago_ready 0\n"));
  }
}

TEST_F(EmptyService, KeepsPathsOfStrangersOutOfTheMetrics) {
  send("GET", "/wp-admin.php");
  const auto text = send("GET", "/metrics/prometheus").body;
  EXPECT_THAT(text, testing::Not(HasSubstr("wp-admin")));
  EXPECT_THAT(text, HasSubstr("imago_requests_total{endpoint=\"other\",status=\"404\"} 1\n"));
}

TEST_F(EmptyService, ShowsTheDashboardToBrowsersAndJsonToPrograms) {
  const auto page = send("GET", "/", {{"Accept", "text/html,*/*;q=0.8"}});
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.headers.at("Content-Type"), StartsWith("text/html"));
  EXPECT_THAT(page.headers.at("Content-Security-Policy"), HasSubstr("default-src 'self'"));
  EXPECT_EQ(page.headers.at("X-Content-Type-Options"), "nosniff");
  const auto described = get_json("/");
  EXPECT_EQ(described["name"], "imago");
  EXPECT_EQ(described["message"], "Image Classification API is running!");
  EXPECT_THAT(json::dump(described["endpoints"]), HasSubstr("\"/predict\""));
}

TEST_F(EmptyService, ServesEveryAssetWithItsETag) {
  const auto paths = asset_paths();
  EXPECT_THAT(paths, testing::Contains(kDashboardPage));
  for (const auto path : paths) {
    const auto response = send("GET", path);
    EXPECT_EQ(response.status, 200) << path;
    EXPECT_FALSE(response.body.empty()) << path;
    EXPECT_THAT(response.headers.at("Content-Type"), HasSubstr("/")) << path;
    const auto again = send("GET", path, {{"If-None-Match", response.headers.at("ETag")}});
    EXPECT_EQ(again.status, 304) << path;
    EXPECT_EQ(again.body, "");
    EXPECT_THAT(response.headers.at("Cache-Control"),
                HasSubstr(path.starts_with("/assets/") ? "immutable" : "no-cache"));
  }
}

TEST_F(EmptyService, AnswersHead) {
  const auto response = send("HEAD", "/health");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "");
}

TEST_F(EmptyService, RefusesConnectionsOnceDrained) {
  const int port = service_->port();
  service_->drain();
  EXPECT_FALSE(http::fetch({.url = fmt::format("http://127.0.0.1:{}/health", port)}).has_value());
}

}  // namespace
}  // namespace imago::serve
