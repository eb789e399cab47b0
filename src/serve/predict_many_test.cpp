// SPDX-License-Identifier: Apache-2.0
// Many images in one request, over HTTP, on a small real network.
#include <fmt/ranges.h>
#include <gmock/gmock.h>

#include "serve/base64.hpp"
#include "serve/service.hpp"
#include "serve/test_client.hpp"
#include "serve/test_model.hpp"

namespace imago::serve {
namespace {

using testing::DoubleNear;
using testing::HasSubstr;
using testing::Pointwise;

class ManyImages : public testing::Test {
 protected:
  void start(std::size_t max_queue = 1024) {
    ServeOptions options;
    options.http.port = 0;
    options.batcher.max_queue = max_queue;
    options.predictor.most_images = 16;
    service_ = Service::start(options).value();
    ASSERT_TRUE(service_->load_model(model_.package(), {.model = "tiny", .version = 3}).has_value());
  }
  json::Value post(const std::string& type, std::string body, int status = 200,
                   const std::string& path = "/v1/predict/many") const {
    return json_in(exchange(service_->port(), "POST", path, {{"Content-Type", type}}, std::move(body)), status);
  }
  json::Value post_json(const std::string& body, int status = 200) const {
    return post("application/json", body, status);
  }
  static std::string form(const std::vector<std::string>& files) {
    std::string body;
    for (std::size_t i = 0; i < files.size(); ++i)
      body += fmt::format("--B\r\nContent-Disposition: form-data; name=\"images\"; filename=\"{}.bmp\"\r\n\r\n{}\r\n",
                          i, files[i]);
    return body + "--B--\r\n";
  }
  json::Value post_form(const std::vector<std::string>& files, int status = 200) const {
    return post("multipart/form-data; boundary=B", form(files), status);
  }
  static std::vector<double> probabilities(const json::Value& item) {
    return json::get<std::vector<double>>(item, "probabilities").value_or(std::vector<double>{});
  }

  TestModel model_;
  std::unique_ptr<Service> service_;
};

TEST_F(ManyImages, AreEachAnsweredAsAlone) {
  start();
  std::vector<std::string> files;
  for (int seed = 0; seed < 10; ++seed) files.push_back(encode_bmp(sample_image(8, seed)));
  const auto answer = post_form(files);
  EXPECT_EQ(answer["model"], "tiny");
  EXPECT_EQ(answer["model_version"], 3);
  EXPECT_EQ(answer["count"], 10);
  EXPECT_EQ(answer["failed"], 0);
  ASSERT_EQ(answer["predictions"].size(), 10U);
  for (int seed = 0; seed < 10; ++seed) {
    const auto& item = answer["predictions"][static_cast<std::size_t>(seed)];
    EXPECT_EQ(item["index"], seed);
    EXPECT_EQ(item["filename"], fmt::format("{}.bmp", seed));
    EXPECT_THAT(probabilities(item), Pointwise(DoubleNear(1e-6), model_.probabilities(sample_image(8, seed))));
    EXPECT_FALSE(item.contains("model") || item.contains("request_id"));
  }
}

TEST_F(ManyImages, OneThatIsNoGoodSpoilsOnlyItsOwnPlace) {
  start();
  const auto answer = post_form({encode_bmp(sample_image(8, 1)), "nonsense", "", encode_bmp(sample_image(8, 2))});
  EXPECT_EQ(answer["failed"], 2);
  const auto& items = answer["predictions"];
  EXPECT_TRUE(items[0].contains("class_index"));
  EXPECT_TRUE(items[3].contains("class_index"));
  EXPECT_EQ(items[1]["index"], 1);
  EXPECT_EQ(items[1]["status"], 400);
  EXPECT_EQ(items[1]["filename"], "1.bmp");
  EXPECT_THAT(items[1]["error"].get<std::string>(), HasSubstr("not an image"));
  EXPECT_EQ(items[2]["code"], "invalid_argument");
}

TEST_F(ManyImages, AllBadAreStillAnswered) {
  start();
  EXPECT_EQ(post_form({"a", "b"})["failed"], 2);
}

TEST_F(ManyImages, ComeInJsonInEveryForm) {
  start();
  const auto image = sample_image(8, 1);
  const auto numbers = fmt::format("[{}]", fmt::join(image.rgb, ","));
  const auto base64 = encode_base64(encode_bmp(image));
  const auto answer = post_json(fmt::format(
      R"({{"images":["{0}",{1},{{"image":{1},"filename":"x"}},{{"image":"{0}"}},7,{{"no":1}}],"range":255}})", base64,
      numbers));
  const auto expected = model_.probabilities(image);
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_THAT(probabilities(answer["predictions"][i]), Pointwise(DoubleNear(1e-6), expected)) << i;
  EXPECT_EQ(answer["predictions"][2]["filename"], "x");
  EXPECT_EQ(answer["failed"], 2);
}

TEST_F(ManyImages, WhatIsSaidForAllCanBeSaidOtherwiseForOne) {
  start();
  std::vector<std::string> unit;
  const auto image = sample_image(8, 1);
  for (const auto value : image.rgb) unit.push_back(fmt::format("{:.6f}", value / 255.0));
  const auto answer =
      post_json(fmt::format(R"({{"range":"0-255","images":[{{"image":[{}],"range":"0-1"}}]}})", fmt::join(unit, ",")));
  EXPECT_THAT(probabilities(answer["predictions"][0]), Pointwise(DoubleNear(1e-6), model_.probabilities(image)));
}

TEST_F(ManyImages, FollowTheQuery) {
  start();
  const auto body = form({encode_bmp(sample_image(8, 1))});
  const auto item =
      post("multipart/form-data; boundary=B", body, 200, "/v1/predict/many?fields=class_index&top=2")["predictions"][0];
  EXPECT_EQ(item.size(), 3U);  // and index
  ASSERT_EQ(item["top"].size(), 2U);
  EXPECT_EQ(item["top"][0]["class_index"], item["class_index"]);
  EXPECT_GE(item["top"][0]["probability"], item["top"][1]["probability"]);
  EXPECT_EQ(
      post("multipart/form-data; boundary=B", body, 200, "/v1/predict/many?fields=model")["predictions"][0].size(), 1U);
}

TEST_F(ManyImages, ARequestThatIsNoGoodIsRefusedWhole) {
  start();
  post_json("{}", 400);
  post_json(R"({"images":[]})", 400);
  post_json(R"({"images":"x"})", 400);
  post_json(R"({"images":[1,)", 400);
  post_json(R"({"images":["x"],"range":"3"})", 400);
  post("image/bmp", encode_bmp(sample_image(8, 1)), 415);
  post("multipart/form-data; boundary=B", "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--B--\r\n",
       400);
  post("application/json", R"({"images":["x"]})", 400, "/v1/predict/many?top=0");
}

TEST_F(ManyImages, MoreThanThereMayBeAreRefused) {
  start();
  const std::vector<std::string> files(17, "x");
  EXPECT_THAT(post_form(files, 413)["error"].get<std::string>(), HasSubstr("17 images in one request, at most 16"));
  EXPECT_EQ(post_json(fmt::format(R"({{"images":[{}]}})", fmt::join(std::vector<int>(17, 1), ",")), 413)["code"],
            "resource_exhausted");
}

TEST_F(ManyImages, ThoseThatFindNoPlaceInTheQueueSaySo) {
  start(1);
  const std::vector<std::string> files(16, encode_bmp(sample_image(8, 1)));
  const auto answer = post_form(files);
  int refused = 0;
  for (const auto& item : answer["predictions"]) {
    if (item.contains("error")) {
      EXPECT_EQ(item["status"], 503);
      ++refused;
    } else {
      EXPECT_TRUE(item.contains("class_index"));
    }
  }
  EXPECT_EQ(answer["failed"], refused);
  EXPECT_LT(refused, 16);
}

TEST_F(ManyImages, ByANamedVersion) {
  start();
  const auto body = form({encode_bmp(sample_image(8, 1))});
  const std::string type = "multipart/form-data; boundary=B";
  EXPECT_EQ(post(type, body, 200, "/v1/models/tiny/predict/many")["model_version"], 3);
  EXPECT_EQ(post(type, body, 200, "/v1/models/tiny/versions/3/predict/many")["count"], 1);
  post(type, body, 404, "/v1/models/tiny/versions/4/predict/many");
  post(type, body, 404, "/v1/models/other/predict/many");
}

}  // namespace
}  // namespace imago::serve
