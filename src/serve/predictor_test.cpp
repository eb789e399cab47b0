// SPDX-License-Identifier: Apache-2.0
// The whole way of a prediction, over HTTP, on a small real network.
#include "serve/predictor.hpp"

#include <fmt/ranges.h>
#include <gmock/gmock.h>

#include <atomic>
#include <future>

#include "serve/service.hpp"
#include "serve/test_client.hpp"
#include "serve/test_model.hpp"

namespace imago::serve {
namespace {

using testing::DoubleNear;
using testing::HasSubstr;
using testing::Pointwise;

class LiveService : public testing::Test {
 protected:
  void start(ServeOptions options = {}) {
    options.http.port = 0;
    auto started = Service::start(options);
    ASSERT_TRUE(started.has_value()) << started.error().message;
    service_ = std::move(*started);
    load(1);
  }
  void load(int version) {
    const auto loaded = service_->load_model(model_.package(), {.model = "tiny", .version = version});
    ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
  }

  [[nodiscard]] http::ClientResponse send(const std::string& method, std::string_view path, http::Fields headers = {},
                                          std::string body = {}) const {
    return exchange(service_->port(), method, path, std::move(headers), std::move(body));
  }
  [[nodiscard]] http::ClientResponse post(std::string type, std::string body,
                                          std::string_view path = "/predict") const {
    return send("POST", path, {{"Content-Type", std::move(type)}}, std::move(body));
  }
  [[nodiscard]] http::ClientResponse post_form(const std::string& data) const {
    return post(
        "multipart/form-data; boundary=B",
        "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.bmp\"\r\n\r\n" + data + "\r\n--B--\r\n");
  }

  static std::vector<double> probabilities_in(const http::ClientResponse& response) {
    EXPECT_EQ(response.status, 200) << response.body;
    const auto body = json::parse(response.body);
    return body ? json::get<std::vector<double>>(*body, "probabilities").value_or(std::vector<double>{})
                : std::vector<double>{};
  }

  TestModel model_;
  std::unique_ptr<Service> service_;
};

TEST_F(LiveService, AnswersWhatTheEngineSays) {
  start();
  for (int seed = 0; seed < 5; ++seed) {
    const auto image = sample_image(8, seed);
    const auto expected = model_.probabilities(image);
    const auto response = post_form(encode_bmp(image));
    EXPECT_THAT(probabilities_in(response), Pointwise(DoubleNear(1e-6), expected));
    const auto body = json::parse(response.body).value();
    const auto best = std::ranges::max_element(expected) - expected.begin();
    EXPECT_EQ(body["class_index"], best);
    EXPECT_EQ(body["prediction"], model_.package().spec.labels[static_cast<std::size_t>(best)]);
    EXPECT_EQ(body["filename"], "a.bmp");
    EXPECT_EQ(body["model"], "tiny");
    EXPECT_EQ(body["model_version"], 1);
    EXPECT_EQ(body["request_id"], response.headers.at("X-Request-ID"));
  }
}

TEST_F(LiveService, GivesTheSameAnswerToTheSamePixelsInEveryForm) {
  start();
  const auto image = sample_image(8, 1);
  const auto expected = model_.probabilities(image);
  std::vector<std::string> unit;
  std::vector<int> planes;
  for (const auto value : image.rgb) unit.push_back(fmt::format("{:.6f}", value / 255.0));
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t i = 0; i < 64; ++i) planes.push_back(image.rgb[i * 3 + c]);
  }
  const auto near = Pointwise(DoubleNear(1e-6), expected);
  EXPECT_THAT(probabilities_in(post("image/bmp", encode_bmp(image))), near);
  EXPECT_THAT(probabilities_in(post("application/octet-stream", encode_bmp(image))), near);
  EXPECT_THAT(probabilities_in(post("application/json", fmt::format("{{\"image\":[{}]}}", fmt::join(image.rgb, ",")))),
              near);
  EXPECT_THAT(probabilities_in(post("application/json", fmt::format("{{\"image\":[{}]}}", fmt::join(unit, ",")))),
              near);
  EXPECT_THAT(probabilities_in(post("application/json",
                                    fmt::format("{{\"layout\":\"chw\",\"image\":[{}]}}", fmt::join(planes, ",")))),
              near);
}

TEST_F(LiveService, DecodesLargeImagesBesideTheEventLoop) {
  start();
  const auto image = sample_image(400, 2);
  EXPECT_THAT(probabilities_in(post_form(encode_bmp(image))), Pointwise(DoubleNear(1e-6), model_.probabilities(image)));
}

TEST_F(LiveService, FollowsTheQuery) {
  start();
  const auto bmp = encode_bmp(sample_image(8, 1));
  EXPECT_EQ(json::parse(post("image/bmp", bmp, "/predict?fields=class_index,model").body).value().size(), 2U);
  EXPECT_TRUE(
      json::parse(post("image/bmp", bmp, "/predict?prediction=index").body).value()["prediction"].is_number_integer());
  EXPECT_EQ(post("image/bmp", bmp, "/predict?fields=nonsense").status, 400);
}

TEST_F(LiveService, RefusesBadImagesWithAReason) {
  start();
  const auto expect_refused = [&](const http::ClientResponse& response, int status, std::string_view text) {
    EXPECT_EQ(response.status, status) << response.body;
    EXPECT_THAT(response.body, HasSubstr(text));
    EXPECT_TRUE(json::parse(response.body).value()["request_id"].is_string());
  };
  expect_refused(post_form("I am text"), 400, "\"code\":\"unsupported\"");
  expect_refused(post_form(encode_bmp(sample_image(8, 1)).substr(0, 100)), 400, "\"code\":\"corrupt\"");
  expect_refused(post("application/json", R"({"image":[1,2,3]})"), 400, "expected 192");
  expect_refused(post("application/xml", "<x/>"), 415, "Content-Type 'application/xml'");
  auto bomb = encode_bmp(sample_image(8, 1));
  bomb.replace(18, 8, std::string("\x20\x4e\0\0\x20\x4e\0\0", 8));  // 20000 x 20000
  expect_refused(post_form(bomb), 413, "20000");
}

TEST_F(LiveService, HonoursTheClientsDeadline) {
  start();
  const auto bmp = encode_bmp(sample_image(8, 1));
  const auto with_timeout = [&](const char* value) {
    return send("POST", "/predict", {{"Content-Type", "image/bmp"}, {"X-Request-Timeout-Ms", value}}, bmp).status;
  };
  EXPECT_EQ(with_timeout("10000"), 200);
  for (const char* bad : {"0", "-1", "soon", "1.5"}) EXPECT_EQ(with_timeout(bad), 400) << bad;
}

TEST_F(LiveService, TakesAPriorityAndRefusesOneThatIsNone) {
  start();
  const auto bmp = encode_bmp(sample_image(8, 1));
  const auto with_priority = [&](const char* value) {
    return send("POST", "/predict", {{"Content-Type", "image/bmp"}, {"X-Request-Priority", value}}, bmp);
  };
  for (const char* good : {"high", "normal", "low"}) EXPECT_EQ(with_priority(good).status, 200) << good;
  const auto refused = with_priority("urgent");
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(refused.body, HasSubstr("X-Request-Priority is 'urgent'"));
}

TEST_F(LiveService, CountsHowEachRequestEnded) {
  start();
  const auto bmp = encode_bmp(sample_image(8, 1));
  EXPECT_EQ(post("image/bmp", bmp).status, 200);
  EXPECT_EQ(post("image/bmp", "no").status, 400);
  EXPECT_EQ(post("application/xml", "<x/>").status, 415);
  EXPECT_EQ(post("image/bmp", bmp, "/predict?fields=nonsense").status, 400);
  const auto text = send("GET", "/metrics/prometheus").body;
  EXPECT_THAT(text, HasSubstr("imago_model_requests_total{model=\"tiny\",outcome=\"ok\",version=\"1\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("imago_model_requests_total{model=\"tiny\",outcome=\"invalid\",version=\"1\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("imago_in_flight{model=\"tiny\",version=\"1\"} 0\n"));
}

TEST_F(LiveService, DropsWhatIsTooLate) {
  ServeOptions options;
  options.predictor.timeout = std::chrono::milliseconds(0);
  start(options);
  const auto response = post("image/bmp", encode_bmp(sample_image(8, 1)));
  EXPECT_EQ(response.status, 504);
  EXPECT_THAT(response.body, HasSubstr("\"code\":\"timeout\""));
  EXPECT_THAT(send("GET", "/metrics/prometheus").body,
              HasSubstr("outcome=\"rejected\",reason=\"deadline\",version=\"1\"} 1\n"));
}

TEST_F(LiveService, DescribesItsModel) {
  start();
  const auto ready = send("GET", "/ready");
  EXPECT_EQ(ready.status, 200);
  EXPECT_EQ(ready.body, R"({"ready":true,"status":"ready","model":"tiny","version":1})");
  const auto status = json::parse(send("GET", "/status").body).value();
  EXPECT_EQ(status["status"], "ready");
  const auto& model = status["model"];
  EXPECT_EQ(model["labels"], (json::Value{"cat", "dog", "frog"}));
  EXPECT_EQ(model["architecture"], "tiny-cnn");
  EXPECT_EQ(model["input"]["width"], 8);
  EXPECT_EQ(model["parameters"], 4 * 27 + 4 + 3 * 4 + 3);
  EXPECT_EQ(model["macs"], 64 * 4 * 27 + 3 * 4);
  EXPECT_EQ(model["test"]["accuracy"], 0.5);
  EXPECT_EQ(model["lineage"]["run"], "r1");
}

TEST_F(LiveService, CountsPredictionsAndShowsTheTrainingHistory) {
  start();
  EXPECT_EQ(post("image/bmp", encode_bmp(sample_image(8, 1))).status, 200);
  EXPECT_EQ(post("image/bmp", "no").status, 400);
  const auto metrics = json::parse(send("GET", "/metrics").body).value();
  EXPECT_EQ(metrics["total_requests"], 2);
  EXPECT_EQ(metrics["prediction_count"], 1);
  EXPECT_EQ(metrics["error_count"], 1);
  EXPECT_GT(metrics["average_latency_seconds"].get<double>(), 0.0);
  EXPECT_EQ(metrics["loss"], (json::Value{1.5, 1.0}));
  EXPECT_EQ(metrics["val_accuracy"], (json::Value{0.375, 0.625}));
  EXPECT_EQ(metrics["training"]["epochs"], 2);
  const auto text = send("GET", "/metrics/prometheus").body;
  EXPECT_THAT(text, HasSubstr("imago_ready 1\n"));
  EXPECT_THAT(text,
              HasSubstr("imago_prediction_stage_seconds_count{model=\"tiny\",stage=\"infer\",version=\"1\"} 1\n"));
}

TEST_F(LiveService, RefusesAModelThatDoesNotReproduceItsGoldenLogits) {
  start();
  model_.package().golden.logits.data[4] += 0.01F;
  const auto loaded = service_->load_model(model_.package(), {.model = "tiny", .version = 2});
  ASSERT_FALSE(loaded.has_value());
  EXPECT_EQ(loaded.error().code, ErrorCode::Corrupt);
  EXPECT_THAT(loaded.error().message, HasSubstr("the self-test of tiny version 2 failed"));
  EXPECT_EQ(json::parse(send("GET", "/ready").body).value()["version"], 1);  // the one before still serves
}

TEST_F(LiveService, TellsWhyItIsNotReadyWhenTheSelfTestFails) {
  model_.package().golden.logits.data[4] += 0.01F;
  ServeOptions options;
  options.http.port = 0;
  service_ = Service::start(options).value();
  EXPECT_FALSE(service_->load_model(model_.package(), {.model = "tiny", .version = 1}).has_value());
  const auto ready = send("GET", "/ready");
  EXPECT_EQ(ready.status, 503);
  EXPECT_THAT(ready.body, HasSubstr("the self-test of tiny version 1 failed"));
  EXPECT_EQ(post("image/bmp", encode_bmp(sample_image(8, 1))).status, 503);
}

TEST_F(LiveService, SwapsModelsUnderLoadWithoutAFailedOrMixedAnswer) {
  start();
  const auto image = sample_image(8, 3);
  const auto expected = model_.probabilities(image);
  const auto bmp = encode_bmp(image);
  std::atomic<bool> stop{false};
  std::vector<std::future<int>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::async(std::launch::async, [&] {
      int answers = 0;
      for (int last = 0; !stop; ++answers) {
        const auto response = post("image/bmp", bmp);
        EXPECT_THAT(probabilities_in(response), Pointwise(DoubleNear(1e-6), expected));
        const int version = json::parse(response.body).value()["model_version"].get<int>();
        EXPECT_GE(version, last);
        last = version;
      }
      return answers;
    }));
  }
  for (int version = 2; version <= 6; ++version) load(version);
  stop = true;
  for (auto& client : clients) EXPECT_GT(client.get(), 0);
}

TEST_F(LiveService, AnswersAtOnceWhenItsQueueIsFull) {
  ServeOptions options;
  options.batcher = {.workers = 1, .max_batch = 1, .max_queue = 1};
  start(options);
  const auto bmp = encode_bmp(sample_image(8, 1));
  std::vector<std::future<http::ClientResponse>> answers;
  for (int i = 0; i < 32; ++i)
    answers.push_back(std::async(std::launch::async, [&] { return post("image/bmp", bmp); }));
  int answered = 0;
  for (auto& answer : answers) {
    const auto response = answer.get();
    if (response.status == 200) {
      ++answered;
    } else {
      EXPECT_EQ(response.status, 503) << response.body;
      EXPECT_TRUE(response.headers.contains("Retry-After"));
    }
  }
  EXPECT_GT(answered, 0);
}

TEST_F(LiveService, HasStartedOnceItIsToldSo) {
  start();
  const auto before = send("GET", "/startup");
  EXPECT_EQ(before.status, 503);
  EXPECT_TRUE(before.headers.contains("Retry-After"));
  service_->set_started();
  EXPECT_EQ(send("GET", "/startup").body, R"({"status":"started"})");
}

TEST_F(LiveService, ShowsTheQueueOfEachModel) {
  start();
  EXPECT_THAT(send("GET", "/metrics/prometheus").body,
              HasSubstr("imago_model_queue_depth{model=\"tiny\",version=\"1\"} 0\n"));
}

TEST_F(LiveService, IsNotReadyFromTheMomentItDrains) {
  ServeOptions options;
  options.unready_wait = std::chrono::milliseconds(1000);
  start(options);
  auto drained = std::async(std::launch::async, [&] { service_->drain(); });
  while (send("GET", "/ready").status == 200) std::this_thread::yield();
  EXPECT_EQ(post("image/bmp", encode_bmp(sample_image(8, 1))).status, 200);
  drained.get();
}

}  // namespace
}  // namespace imago::serve
